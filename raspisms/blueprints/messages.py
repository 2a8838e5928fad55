"""Messages: writing, the sent list, one message with its history."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from ..extensions import db
from ..models import Direction, Message
from ..sending import doubts
from . import compose, paging
from .imports import LARGEST_LIST

bp = Blueprint("messages", __name__, url_prefix="/messages")


@bp.get("/")
def index() -> str:
    page = paging.page(select(Message).where(Message.direction == Direction.OUT), request.args.get("before", type=int))
    template = "messages/_sent.html" if request.args.get("fragment") else "messages/index.html"
    return render_template(template, page=page, doubts=doubts.count())


@bp.get("/doubts")
def in_doubt() -> str:
    """ "Envois incertains": what only a person may decide."""
    page = paging.page(doubts.doubtful(), request.args.get("before", type=int))
    return render_template("messages/doubts.html", page=page)


@bp.post("/<int:message_id>/<any(again, assume):verb>")
def decide(message_id: int, verb: str) -> Response:
    """ "Renvoyer" and "Considérer comme envoyé"."""
    decided = doubts.send_again if verb == "again" else doubts.assume_sent
    try:
        decided(message_id, current_user.id)
    except doubts.Refused as error:
        flash(gettext(str(error)), "warning")
    return redirect(url_for("messages.show", message_id=message_id))


@bp.url_value_preprocessor
def allow_lists(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """The composer takes files of recipients. Before everything that reads the request."""
    request.max_content_length = request.max_form_memory_size = LARGEST_LIST


@bp.route("/new", methods=["GET", "POST"])
def new() -> compose.Page:
    answered = compose.linked("reply_to", incoming=True)
    return compose.compose(answered, again=compose.linked("again", incoming=False))


@bp.get("/<int:message_id>")
def show(message_id: int) -> str:
    message = db.session.get(Message, message_id)
    if message is None:
        abort(404)
    if message.is_incoming and message.read_at is None and not request.args.get("fragment"):
        compose.mark_read(message.id)
    answers = db.session.scalars(select(Message).where(Message.reply_to_id == message.id).order_by(Message.id))
    template = "messages/_show.html" if request.args.get("fragment") else "messages/show.html"
    in_doubt = doubts.is_doubtful(message)
    return render_template(template, message=message, answers=list(answers), in_doubt=in_doubt)
