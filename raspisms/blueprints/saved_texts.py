"""Saved texts: what the team writes often."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from ..extensions import db
from ..forms.settings import SavedTextForm
from ..models import RemovalKind, SavedText
from ..people import going
from ..team import saved_texts
from ..web import undoing
from ..web.access import deleters_only

bp = Blueprint("texts", __name__, url_prefix="/texts")


@bp.get("/")
def index() -> str:
    gone = going.of(RemovalKind.TEXT)
    return render_template("texts/index.html", texts=[one for one in saved_texts.everything() if one.id not in gone])


@bp.route("/new", methods=["GET", "POST"])
def new() -> str | Response | tuple[str, int]:
    return _edit(None)


@bp.route("/<int:text_id>/edit", methods=["GET", "POST"])
def edit(text_id: int) -> str | Response | tuple[str, int]:
    saved = db.session.get(SavedText, text_id)
    if saved is None and request.method == "GET":
        abort(404)
    return _edit(saved)  # one that a colleague deleted meanwhile is added again: nothing that was typed is lost


def _edit(saved: SavedText | None) -> str | Response | tuple[str, int]:
    form = SavedTextForm(saved)
    if form.validate_on_submit():
        saved_texts.save(saved.id if saved else None, form.name.data or "", form.text.data or "")
        if saved is not None:
            going.spare(saved.id, RemovalKind.TEXT)
        flash(gettext("Le modèle est enregistré."), "success")
        return redirect(url_for("texts.index"))
    return render_template("texts/form.html", saved=saved, form=form), 400 if form.is_submitted() else 200


@bp.post("/<int:text_id>/delete")
@deleters_only
def delete(text_id: int) -> Response:
    saved = db.get_or_404(SavedText, text_id)
    sentence = gettext("Le modèle « %(name)s » est supprimé.", name=saved.name)
    undoing.delete(RemovalKind.TEXT, [text_id], sentence)
    return redirect(url_for("texts.index"))
