"""Pages, one blueprint per thing; everything is closed unless it is listed here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, current_app, redirect, request, url_for
from flask import Response as FlaskResponse
from flask_login import current_user
from werkzeug.wrappers import Response

from ..database import now
from ..extensions import csrf, db, login
from ..front import STRANGERS_BYTES
from ..models import User
from . import (
    auth,
    callbacks,
    campaigns,
    compression,
    contacts,
    conversations,
    errors,
    events,
    groups,
    health,
    home,
    imports,
    journal,
    messages,
    optouts,
    phones,
    preferences,
    presentation,
    profile,
    received,
    restorations,
    scheduled,
    statistics,
    texts,
)

PAGES = (
    auth, home, phones, conversations, messages, received, scheduled, contacts, imports, groups, campaigns, texts,
    optouts, events, statistics, preferences, profile, health, journal, restorations,
)  # fmt: skip

# What a stranger may ask for. Everything else sends to the sign-in page.
PUBLIC_ENDPOINTS = frozenset(
    {
        "auth.login",
        "auth.setup",
        "callbacks.receive",
        "health.live",
        "health.pulse",
        "health.ready",
        "static",
        "bootstrap.static",
    }
)

# Where somebody who is signed in may bring in a list of people, of so many bytes.
LISTS = {
    imports.bp.name: imports.LARGEST_LIST,
    messages.bp.name: imports.LARGEST_LIST,
    campaigns.bp.name: imports.LARGEST_LIST,
}

# Only what is ours, nothing inline: a text from an SMS can never become a script.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Bootstrap draws its arrows as data: images
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class Answer(FlaskResponse):
    """Whose cookies last for a time instead of until a date: a browser's clock and ours may differ by years."""

    def set_cookie(self, key: str, *arguments: Any, **more: Any) -> None:
        """The same, with the rest of its life in seconds beside the date."""
        expires = more.get("expires")
        if isinstance(expires, datetime) and more.get("max_age") is None:
            more["max_age"] = int((expires - now()).total_seconds())
        super().set_cookie(key, *arguments, **more)


def init_app(app: Flask) -> None:
    """Register every blueprint, close the doors, and set what every page shares."""
    for module in (*PAGES, callbacks):
        app.register_blueprint(module.bp)
    csrf.exempt(callbacks.bp)
    app.wsgi_app = callbacks.Straight(app.wsgi_app)  # type: ignore[method-assign]
    errors.init_app(app)
    presentation.init_app(app)
    app.before_request(_closed_by_default)
    app.after_request(_headers)
    app.after_request(compression.compress)
    login.user_loader(_load_user)


def largest_body() -> int:
    """Bytes that the present request's body may have: a form's for strangers, a list's where lists are brought in."""
    if not current_user.is_authenticated:
        return STRANGERS_BYTES
    return LISTS.get(request.blueprint or "", int(current_app.config["MAX_CONTENT_LENGTH"]))


def _closed_by_default() -> Response | None:
    if request.endpoint is None or request.endpoint in PUBLIC_ENDPOINTS or current_user.is_authenticated:
        return None
    wanted = request.script_root + (request.full_path if request.query_string else request.path)
    return redirect(url_for("auth.login", next=wanted if request.method == "GET" else None))


def _headers(response: Response) -> Response:
    _stay_here(response)
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint not in {"static", "bootstrap.static"}:
        response.headers.setdefault("Cache-Control", "no-store")
    elif not current_app.debug:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _stay_here(response: Response) -> None:
    """A redirection names a place on the server that was asked, not a server: a stranger may write any Host."""
    location = response.headers.get("Location", "")
    if location.startswith(request.host_url):
        response.headers["Location"] = "/" + location.removeprefix(request.host_url)


def _load_user(session_id: str) -> User | None:
    return db.session.query(User).filter_by(session_id=session_id).one_or_none()
