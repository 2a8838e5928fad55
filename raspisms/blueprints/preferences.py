""" "Réglages": the team's choices."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from ..forms.settings import PreferencesForm
from ..team import preferences
from ..web.access import admin_only

bp = Blueprint("preferences", __name__, url_prefix="/preferences")


@bp.route("/", methods=["GET", "POST"])
@admin_only
def index() -> str | Response | tuple[str, int]:
    form = PreferencesForm(preferences.current())
    if form.validate_on_submit() and (wanted := form.choices()) is not None:
        preferences.save(wanted, current_user.id)
        flash(gettext("Les réglages sont enregistrés."), "success")
        return redirect(url_for("preferences.index"))
    return render_template("preferences/index.html", form=form), 400 if form.is_submitted() else 200
