"""Pages, one blueprint per thing; everything is closed unless `web.access` lists it."""

from __future__ import annotations

from flask import Flask, current_app, request
from flask_login import current_user

from ..extensions import csrf, login
from ..machine.front import STRANGERS_BYTES
from ..web import compression, errors, filters, tables
from ..web.access import closed_by_default, load_user, stay_signed_in
from ..web.headers import add_headers
from . import (
    audit,
    auth,
    callbacks,
    campaigns,
    contacts,
    conversations,
    dashboard,
    groups,
    health,
    imports,
    installed,
    journal,
    messages,
    opt_outs,
    phones,
    preferences,
    profile,
    received,
    removals,
    restorations,
    saved_texts,
    scheduled,
    search,
    statistics,
    team,
)

PAGES = (
    auth, dashboard, phones, conversations, messages, received, scheduled, contacts, imports, groups, campaigns,
    saved_texts, opt_outs, audit, statistics, preferences, profile, health, journal, restorations, search,
    removals, team, installed,
)  # fmt: skip


# Where somebody who is signed in may bring in a list of people, of so many bytes.
LISTS = {
    imports.bp.name: tables.LARGEST_LIST,
    messages.bp.name: tables.LARGEST_LIST,
    campaigns.bp.name: tables.LARGEST_LIST,
}


def init_app(app: Flask) -> None:
    """Register every blueprint, close the doors, and set what every page shares."""
    for module in (*PAGES, callbacks):
        app.register_blueprint(module.bp)
    csrf.exempt(callbacks.bp)
    app.wsgi_app = callbacks.Straight(app.wsgi_app)  # type: ignore[method-assign]
    errors.init_app(app)
    filters.init_app(app)
    app.before_request(closed_by_default)
    app.before_request(stay_signed_in)
    app.after_request(add_headers)
    app.after_request(compression.compress)
    login.user_loader(load_user)


def largest_body() -> int:
    """Bytes that the present request's body may have: a form's for strangers, a list's where lists are brought in."""
    if not current_user.is_authenticated:
        return STRANGERS_BYTES
    return LISTS.get(request.blueprint or "", int(current_app.config["MAX_CONTENT_LENGTH"]))
