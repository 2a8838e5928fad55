"""What people wrote to us."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy import select, update
from werkzeug.wrappers import Response

from ..database import now, transaction
from ..models import Direction, Message
from . import paging

bp = Blueprint("received", __name__, url_prefix="/received")


@bp.get("/")
def index() -> str:
    """ "SMS reçus"; with ?unread=1, "SMS non lus"."""
    only_unread = bool(request.args.get("unread"))
    query = select(Message).where(Message.direction == Direction.IN)
    if only_unread:
        query = query.where(Message.read_at.is_(None))
    page = paging.page(query, request.args.get("before", type=int))
    template = "received/_received.html" if request.args.get("fragment") else "received/index.html"
    return render_template(template, page=page, only_unread=only_unread)


@bp.post("/read")
def read_all() -> Response:
    """Everything up to the newest message that the person saw is read."""
    seen = request.form.get("up_to", type=int)
    if seen is None:
        abort(400)
    with transaction() as session:
        session.execute(
            update(Message)
            .where(Message.direction == Direction.IN, Message.read_at.is_(None), Message.id <= seen)
            .values(read_at=now())
        )
    return redirect(url_for("received.index"))


@bp.post("/<int:message_id>/<any(read, unread):verb>")
def mark(message_id: int, verb: str) -> Response:
    """ "Marquer comme lu" and "Marquer comme non lu"."""
    with transaction() as session:
        message = session.get(Message, message_id)
        if message is None or not message.is_incoming:
            abort(404)
        message.read_at = now() if verb == "read" else None
    return redirect(url_for("received.index"))
