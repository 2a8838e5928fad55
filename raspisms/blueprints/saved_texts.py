"""Saved texts: what the team writes often."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from ..extensions import db
from ..forms import mistakes
from ..language import Mistake, is_personal
from ..language.remote import Text
from ..models import SavedText
from ..team import saved_texts

bp = Blueprint("texts", __name__, url_prefix="/texts")


@bp.get("/")
def index() -> str:
    return render_template("texts/index.html", texts=saved_texts.everything())


@bp.route("/new", methods=["GET", "POST"])
def new() -> str | Response | tuple[str, int]:
    return _edit(None)


@bp.route("/<int:text_id>/edit", methods=["GET", "POST"])
def edit(text_id: int) -> str | Response | tuple[str, int]:
    return _edit(db.get_or_404(SavedText, text_id))


def _edit(saved: SavedText | None) -> str | Response | tuple[str, int]:
    typed = {"name": saved.name if saved else "", "text": saved.text if saved else ""}
    errors: dict[str, str] = {}
    if request.method == "POST":
        typed = {name: request.form.get(name, "").replace("\r\n", "\n").replace("\0", "") for name in typed}
        typed["name"] = " ".join(typed["name"].split())
        errors = _errors(typed, saved)
        if not errors:
            saved_texts.save(saved.id if saved else None, typed["name"], typed["text"])
            flash(gettext("Le modèle est enregistré."), "success")
            return redirect(url_for("texts.index"))
    page = render_template("texts/form.html", saved=saved, typed=typed, errors=errors)
    return page, 400 if errors else 200


def _errors(typed: dict[str, str], saved: SavedText | None) -> dict[str, str]:
    errors = {}
    if not 1 <= len(typed["name"]) <= 100:
        errors["name"] = gettext("Donnez un nom au modèle : 100 caractères au plus.")
    elif saved_texts.is_taken(typed["name"], saved.id if saved else None):
        errors["name"] = gettext("Un autre modèle porte déjà ce nom.")
    if not typed["text"].strip():
        errors["text"] = gettext("Écrivez un texte.")
    elif is_personal(typed["text"]):
        try:
            Text(typed["text"])
        except Mistake as mistake:
            errors["text"] = mistakes.in_text(mistake)
    return errors


@bp.post("/<int:text_id>/delete")
def delete(text_id: int) -> Response:
    saved_texts.remove(text_id)
    return redirect(url_for("texts.index"))
