"""Who may open which page: closed unless listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import abort, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from ..clock import today
from ..extensions import db
from ..models import User

# What a stranger may ask for. Everything else sends to the sign-in page.
PUBLIC_ENDPOINTS = frozenset(
    {
        "auth.login",
        "auth.setup",
        "auth.welcome",
        "callbacks.receive",
        "health.live",
        "installed.manifest",
        "installed.offline",
        "installed.worker",
        "health.pulse",
        "health.ready",
        "static",
        "bootstrap.static",
    }
)
# A page that was opened so long ago renews its cookie by what it looks up.
UNOPENED = timedelta(days=7)
P = ParamSpec("P")
R = TypeVar("R")


def closed_by_default() -> Response | None:
    """Before each request: strangers go to the sign-in page, unless what they ask for is public."""
    if request.endpoint is None or request.endpoint in PUBLIC_ENDPOINTS or current_user.is_authenticated:
        return None
    wanted = request.script_root + (request.full_path if request.query_string else request.path)
    return redirect(url_for("auth.login", next=wanted if request.method == "GET" else None))


def stay_signed_in() -> None:
    """Before each request: a signed-in person's cookie begins its month anew, once a day, and with a page.

    Not with each answer: what a page looks up by itself may be answered after "Déconnexion" was, and its cookie,
    the last to arrive, would sign the person in again on a computer that others use. Only where no page was opened
    for a week does that renew it too: a screen on the wall must not be signed out after a month.
    """
    if not current_user.is_authenticated:
        return
    is_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    day = today()
    if session.get("day", "") < (day if is_page else day - UNOPENED).isoformat():
        session["day"] = day.isoformat()


def load_user(session_id: str) -> User | None:
    """Who a session belongs to."""
    return db.session.query(User).filter_by(session_id=session_id).one_or_none()


def deleters_only(view: Callable[P, R]) -> Callable[P, R]:
    """Only those who may delete what is the team's: administrators, and whom they allowed to."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_user.can_delete:
            abort(403)
        return view(*args, **kwargs)

    return guarded


def admin_only(view: Callable[P, R]) -> Callable[P, R]:
    """Only administrators: a phone is a key and a bill."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_user.is_admin:
            abort(403)
        return view(*args, **kwargs)

    return guarded
