""" "Réglages": the team's choices."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from .. import audit, preferences
from .phones import admin_only

bp = Blueprint("preferences", __name__, url_prefix="/preferences")

FIELDS = ("region", "undo_seconds", "countries", "stop_answer")


@bp.route("/", methods=["GET", "POST"])
@admin_only
def index() -> str | Response | tuple[str, int]:
    choices = preferences.current()
    shown = {
        "region": choices.region,
        "undo_seconds": str(choices.undo_seconds),
        "countries": ", ".join(choices.countries),
        "stop_answer": choices.stop_answer,
    }
    errors: dict[str, str] = {}
    if request.method == "POST":
        shown = {name: request.form.get(name, "") for name in FIELDS}
        try:
            preferences.save(preferences.read(**shown))
        except preferences.Invalid as error:
            errors = error.errors
        else:
            audit.note(current_user.id, "preferences changed")
            flash(gettext("Les réglages sont enregistrés."), "success")
            return redirect(url_for("preferences.index"))
    page = render_template(
        "preferences/index.html",
        shown=shown,
        errors=errors,
        regions=preferences.REGIONS,
        undo_choices=preferences.UNDO_SECONDS,
        stop_answer=preferences.STOP_ANSWER,
    )
    return page, 400 if errors else 200
