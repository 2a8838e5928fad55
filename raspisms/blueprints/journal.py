"""Callbacks that could not be applied: what came, why not, and another try."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from .. import pagination
from ..models import JournalEntry
from ..receiving import journal
from ..receiving.inbox import inbox
from ..web.access import admin_only

bp = Blueprint("journal", __name__, url_prefix="/callbacks-in-trouble")

ORDER: pagination.Order[JournalEntry] = pagination.Order(JournalEntry.id)
# Of what came, so much is shown.
EXCERPT = 2_000


@bp.get("/")
@admin_only
def index() -> str:
    page = pagination.page(journal.troubled(), ORDER, request.args.get("after"))
    entries = [(entry, _words(entry)) for entry in page.rows]
    damaged = [path.name for path in inbox().damaged()]
    return render_template("journal/index.html", page=page, entries=entries, damaged=damaged)


def _words(entry: JournalEntry) -> str:
    return (entry.body.decode("utf-8", "replace") or entry.query)[:EXCERPT]


@bp.post("/<int:entry_id>/<any(again, aside):verb>")
@admin_only
def act(entry_id: int, verb: str) -> Response:
    """ "Réessayer", "Ne plus montrer"."""
    if verb == "again" and journal.try_again(entry_id, current_user.id):
        flash(gettext("RaspiSMS réessaie. Si cela échoue encore, ce callback reviendra ici."), "success")
    if verb == "aside":
        journal.set_aside(entry_id, current_user.id)
    return redirect(url_for("journal.index"))
