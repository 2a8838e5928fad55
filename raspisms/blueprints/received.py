"""What people wrote to us."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from .. import csv_files
from ..conversations import threads
from ..extensions import db
from ..messages import listing
from ..models import Direction, Message, RemovalKind
from ..pagination import whole
from ..people import going
from ..web import tables, undoing
from ..web.message_lists import asked, listed
from ..web.tables import when

bp = Blueprint("received", __name__, url_prefix="/received")


@bp.get("/")
def index() -> str:
    """ "SMS reçus"; with ?unread=1, "SMS non lus"."""
    template = "received/_received.html" if request.args.get("fragment") else "received/index.html"
    return render_template(template, **listed(asked(Direction.IN)))


@bp.get("/received.csv")
def export() -> Response:
    """The received messages that the list shows, all of them."""
    header = [gettext("Expéditeur"), gettext("Destinataire"), gettext("Message"), gettext("Date"), gettext("Statut")]
    return tables.csv(csv_files.csv_lines(header, _lines(asked(Direction.IN))), "sms-recus.csv")


def _lines(wanted: listing.Asked) -> Iterator[list[object]]:
    gone = going.of(RemovalKind.RECEIVED)
    for message in listing.everything(wanted):
        if message.id in gone:
            continue
        status = gettext("Non lu") if message.read_at is None else gettext("Lu")
        yield [message.number, message.phone.name, message.text, when(message.created_at), status]


@bp.post("/bulk")
def bulk() -> AnyResponse:
    """What is done with the ticked messages."""
    chosen, verb = request.form.getlist("chosen", type=whole)[:500], request.form.get("verb", "")
    if verb not in {"read", "unread", "delete"}:
        abort(400)
    if not chosen:
        flash(gettext("Cochez au moins un SMS."), "warning")
    elif verb == "delete":
        _delete(chosen)
    else:
        threads.mark_all(chosen, read=verb == "read")
    return redirect(url_for("received.index", unread=request.form.get("unread") or None))


def _delete(chosen: list[int]) -> None:
    if not current_user.can_delete:
        abort(403)
    mine = select(Message.id).where(Message.id.in_(chosen), Message.direction == Direction.IN)
    ids = list(db.session.scalars(mine))
    sentence = ngettext("%(num)s SMS reçu supprimé.", "%(num)s SMS reçus supprimés.", len(ids))
    undoing.delete(RemovalKind.RECEIVED, ids, sentence)


@bp.post("/read")
def read_all() -> AnyResponse:
    """Everything up to the newest message that the person saw is read."""
    seen = request.form.get("up_to", type=whole)
    if seen is None:
        abort(400)
    threads.mark_read_up_to(seen)
    return redirect(url_for("received.index"))


@bp.post("/<int:message_id>/<any(read, unread):verb>")
def mark(message_id: int, verb: str) -> AnyResponse:
    """ "Marquer comme lu" and "Marquer comme non lu"."""
    message = db.session.get(Message, message_id)
    if message is None or not message.is_incoming:
        abort(404)
    threads.mark_all([message_id], read=verb == "read")
    return redirect(url_for("received.index"))
