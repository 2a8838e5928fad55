"""Taking back what was deleted a moment ago."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from ..scheduler import removals
from ..web.access import deleters_only

bp = Blueprint("removals", __name__, url_prefix="/removals")

# Where the lists are that things came from.
LISTS = {
    "contacts": "contacts.index",
    "received": "received.index",
    "groups": "groups.index",
    "texts": "texts.index",
}


@bp.post("/<int:removal_id>/undo")
@deleters_only
def undo(removal_id: int) -> Response:
    """ "Annuler", while it still can be."""
    try:
        removals.take_back(removal_id)
    except removals.TooLate as error:
        flash(gettext(str(error)), "warning")
    else:
        flash(gettext("Rien n’a été supprimé."), "success")
    return redirect(url_for(LISTS.get(request.form.get("list", ""), "home.index")))
