"""An older copy came back: what waited in it leaves, or does not; an administrator decides."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from ..extensions import db
from ..messages import restored
from ..models import Decision
from ..pagination import whole
from ..sending import restoration
from ..web.access import admin_only

bp = Blueprint("restorations", __name__, url_prefix="/restoration")


@bp.get("/")
@admin_only
def index() -> str:
    session = db.session()
    return render_template("restorations/index.html", found=restored.current(session), held=restoration.held(session))


@bp.post("/")
@admin_only
def decide() -> Response:
    choice = request.form.get("decision", "")
    if choice not in {one.value for one in Decision}:
        abort(400)
    try:
        restoration.decide(request.form.get("restoration", 0, type=whole), Decision(choice), current_user.id)
    except restoration.Refused as error:
        flash(gettext(str(error)), "warning")
    else:
        flash(gettext("C’est noté. Les nouveaux SMS partent normalement."), "success")
    return redirect(url_for("home.index"))
