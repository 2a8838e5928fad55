""" "Mon profil": the language and the password of the person who is signed in."""

from __future__ import annotations

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext, refresh
from flask_login import current_user, login_user
from werkzeug.wrappers import Response

from ..forms.profile import LocaleForm, PasswordForm
from ..notices import planning, pushing
from ..team import users

bp = Blueprint("profile", __name__, url_prefix="/profile")


def _page(locale: LocaleForm, password: PasswordForm, status: int = 200) -> tuple[str, int]:
    page = render_template(
        "profile/index.html",
        locale_form=locale,
        password_form=password,
        can_mail=planning.is_possible(),
        push_key=pushing.public_key(),
    )
    return page, status


@bp.post("/notices")
def notices() -> Response:
    """Which e-mails this person wants."""
    digest = bool(request.form.get("mail_digest"))
    users.choose_mail(current_user.id, request.form.get("mail_received", ""), digest=digest)
    flash(gettext("Vos e-mails sont réglés."), "success")
    return redirect(url_for("profile.index"))


@bp.post("/push")
def push() -> tuple[Response, int]:
    """This browser wants to be told of new SMS while nobody looks at it."""
    wanted = pushing.Wanted(*(request.form.get(name, "") for name in ("endpoint", "p256dh", "auth")))
    try:
        pushing.subscribe(current_user.id, wanted)
    except pushing.Refused as error:
        return jsonify(error=gettext(str(error))), 400
    return jsonify(), 200


@bp.post("/push/forget")
def forget_push() -> tuple[str, int]:
    """It wants to be told no more: a choice, or somebody signs out."""
    pushing.unsubscribe(request.form.get("endpoint", ""))
    return "", 204


@bp.get("/")
def index() -> tuple[str, int]:
    return _page(LocaleForm(data={"locale": current_user.locale}), PasswordForm())


@bp.post("/locale")
def locale() -> Response | tuple[str, int]:
    form = LocaleForm()
    if not form.validate_on_submit():
        return _page(form, PasswordForm(formdata=None), 400)
    users.choose_locale(current_user.id, form.locale.data)
    refresh()
    flash(gettext("La langue est changée."), "success")
    return redirect(url_for("profile.index"))


@bp.post("/password")
def password() -> Response | tuple[str, int]:
    form = PasswordForm()
    if form.validate_on_submit():
        if users.authenticate(current_user.email, form.current.data) is None:
            form.current.errors = [gettext("Ce n’est pas votre mot de passe actuel.")]
        else:
            try:
                login_user(users.change_password(current_user.id, form.password.data))
            except users.Refused as error:
                form.password.errors = [gettext(str(error))]
            else:
                flash(gettext("Votre mot de passe est changé ; vos autres sessions sont fermées."), "success")
                return redirect(url_for("profile.index"))
    return _page(LocaleForm(formdata=None, data={"locale": current_user.locale}), form, 400)
