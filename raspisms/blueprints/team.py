""" "Équipe": who may sign in, inviting a colleague, what each may do."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from ..extensions import db
from ..forms.auth import InvitationForm
from ..models import Role, User
from ..team import users
from ..web.access import admin_only

bp = Blueprint("team", __name__, url_prefix="/team")

LINK = "link for a colleague"


@bp.get("/")
@admin_only
def index() -> str:
    return _page(InvitationForm())


def _page(form: InvitationForm) -> str:
    shown = session.pop(LINK, None)  # once: whoever has it signs in
    return render_template("team/index.html", form=form, people=users.colleagues(), shown=shown)


@bp.post("/")
@admin_only
def invite() -> Response | tuple[str, int]:
    """ "Inviter": the account is made, and its link shown once."""
    form = InvitationForm()
    if form.validate_on_submit():
        try:
            role = Role.ADMIN if form.role.data == Role.ADMIN else Role.MEMBER
            invited = users.invite(form.email.data or "", role, user_id=current_user.id)
        except users.Refused as error:
            form.email.errors = [gettext(str(error))]
        else:
            _show_link(invited)
            return redirect(url_for("team.index"))
    return _page(form), 400


def _show_link(user: User) -> None:
    address = url_for("auth.welcome", token=users.link_token(user), _external=True)
    session[LINK] = {"email": user.email, "address": address}


@bp.post("/<int:user_id>/link")
@admin_only
def link(user_id: int) -> Response:
    """A new link, for who lost theirs or forgot their password."""
    _show_link(db.get_or_404(User, user_id))
    return redirect(url_for("team.index"))


@bp.post("/<int:user_id>/rights")
@admin_only
def rights(user_id: int) -> Response:
    """Whether somebody may delete what is the team's."""
    user = db.get_or_404(User, user_id)
    users.allow(user.email, may_delete=bool(request.form.get("may_delete")), user_id=current_user.id)
    flash(gettext("Les droits de %(name)s sont changés.", name=user.name), "success")
    return redirect(url_for("team.index"))
