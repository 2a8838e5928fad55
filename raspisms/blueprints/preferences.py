""" "Réglages": the team's choices."""

from __future__ import annotations

from typing import Any

from babel.dates import get_day_names
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from ..team import preferences
from ..web.access import admin_only

bp = Blueprint("preferences", __name__, url_prefix="/preferences")

FIELDS = (
    "region", "undo_seconds", "countries", "stop_answer", "undo_single", "opens", "closes", "away_text",
    "keep_callbacks", "keep_details",
)  # fmt: skip


@bp.route("/", methods=["GET", "POST"])
@admin_only
def index() -> str | Response | tuple[str, int]:
    choices = preferences.current()
    shown: dict[str, Any] = {
        "region": choices.region,
        "undo_seconds": str(choices.undo_seconds),
        "countries": ", ".join(choices.countries),
        "stop_answer": choices.stop_answer,
        "undo_single": str(choices.undo_single),
        "open_days": [str(day) for day in choices.open_days],
        "opens": choices.opens,
        "closes": choices.closes,
        "away_text": choices.away_text,
        "keep_callbacks": str(choices.keep_callbacks),
        "keep_details": str(choices.keep_details),
    }
    errors: dict[str, str] = {}
    if request.method == "POST":
        shown |= {name: request.form.get(name, shown[name]) for name in FIELDS}
        shown["open_days"] = request.form.getlist("open_days")
        try:
            preferences.save(preferences.read(**shown), current_user.id)
        except preferences.Invalid as error:
            errors = error.errors
        else:
            flash(gettext("Les réglages sont enregistrés."), "success")
            return redirect(url_for("preferences.index"))
    page = render_template(
        "preferences/index.html",
        shown=shown,
        errors=errors,
        regions=preferences.REGIONS,
        undo_choices=preferences.UNDO_SECONDS,
        undo_single_choices=preferences.UNDO_SINGLE_SECONDS,
        days=dict(sorted(get_day_names("wide", locale=get_locale()).items())),
        stop_answer=preferences.STOP_ANSWER,
    )
    return page, 400 if errors else 200
