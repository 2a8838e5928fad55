"""Signing in and out, and the one-time page that creates the first administrator."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask_babel import get_locale, gettext
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from ..clock import today
from ..extensions import limiter
from ..forms.auth import LoginForm, PasswordForm, SetupForm
from ..models import Role, User
from ..team import users

bp = Blueprint("auth", __name__)

# Per address; enough for a tired person, too slow for a guesser.
ATTEMPTS = "10 per minute; 100 per hour"


def _sign_in(user: User) -> None:
    session.clear()  # whatever a stranger's session held is not the person's
    login_user(user, remember=False)
    session.permanent = True
    session["day"] = today().isoformat()


@bp.route("/login", methods=["GET", "POST"])
@limiter.limit(ATTEMPTS, methods=["POST"])
def login() -> str | Response | tuple[str, int]:
    if current_user.is_authenticated:
        return redirect(url_for("home.index"))
    form = LoginForm()
    if form.validate_on_submit():
        user = users.sign_in(form.email.data, form.password.data)
        if user is not None:
            _sign_in(user)
            return redirect(_local(request.args.get("next")) or url_for("home.index"))
        form.password.errors = [gettext("L’adresse ou le mot de passe n’est pas le bon.")]
    page = render_template("auth/login.html", form=form, is_new=users.is_new_installation())
    return page, 400 if form.is_submitted() else 200


def _local(target: str | None) -> str | None:
    """The page that somebody wanted before signing in, only if it is one of ours."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return None
    return None if urlsplit(target).netloc else target


@bp.route("/setup/<token>", methods=["GET", "POST"])
@limiter.limit(ATTEMPTS, methods=["POST"])
def setup(token: str) -> str | Response | tuple[str, int]:
    """The first administrator; the link is worth nothing once somebody can sign in."""
    if not hmac.compare_digest(token.encode(), users.first_admin_token().encode()):
        abort(404)
    if not users.is_new_installation():
        return redirect(url_for("auth.login"))
    form = SetupForm()
    if form.validate_on_submit():
        try:
            user = users.add(
                form.email.data, form.password.data, Role.ADMIN, only_if_first=True, locale=str(get_locale())
            )
        except users.Refused as error:
            form[error.field].errors = [gettext(str(error))]
        else:
            _sign_in(user)
            return redirect(url_for("home.index"))
    return render_template("auth/setup.html", form=form), 400 if form.is_submitted() else 200


@bp.route("/welcome/<token>", methods=["GET", "POST"])
@limiter.limit(ATTEMPTS, methods=["POST"])
def welcome(token: str) -> str | Response | tuple[str, int]:
    """A person chooses their password, by the link that an administrator gave them; it is worth nothing afterwards."""
    user = users.of_link(token)
    if user is None:
        return render_template("auth/used.html"), 404
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            user = users.change_password(user.id, form.password.data)
        except users.Refused as error:
            form.password.errors = [gettext(str(error))]
        else:
            _sign_in(user)
            return redirect(url_for("home.index"))
    return render_template("auth/welcome.html", form=form, user=user), 400 if form.is_submitted() else 200


@bp.post("/logout")
def logout() -> Response:
    logout_user()
    session.clear()
    return redirect(url_for("auth.login"))
