"""Messages: writing, the sent list, one message with its history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from .. import csv_files, pagination
from ..conversations import threads
from ..extensions import db
from ..labels import STATUS_LABELS
from ..messages import listing
from ..models import Direction, Message
from ..pagination import whole
from ..people import contact_list
from ..sending import unknown_outcomes
from ..sending.recall import TooLate, cancel_waiting, take_back
from ..web import advice, composing, tables
from ..web.message_lists import asked, listed
from ..web.tables import LARGEST_LIST, when

bp = Blueprint("messages", __name__, url_prefix="/messages")


@bp.get("/")
def index() -> str:
    """ "SMS envoyés"."""
    template = "messages/_sent.html" if request.args.get("fragment") else "messages/index.html"
    return render_template(template, **listed(asked(Direction.OUT)), doubts=unknown_outcomes.count())


@bp.get("/sent.csv")
def export() -> Response:
    """The sent messages that the list shows, all of them."""
    header = [
        gettext("Expéditeur"), gettext("Destinataire"), gettext("Message"), gettext("Tag"), gettext("Date"),
        gettext("Statut"), gettext("Délivré"), gettext("SMS"), gettext("Coût"),
    ]  # fmt: skip
    return tables.csv(csv_files.csv_lines(header, _sent_lines(asked(Direction.OUT))), "sms-envoyes.csv")


def _sent_lines(wanted: listing.Asked) -> Iterator[list[object]]:
    for message in listing.everything(wanted):
        yield [
            message.phone.name,
            message.number,
            message.text,
            message.tag,
            when(message.created_at),
            gettext(STATUS_LABELS[message.status]),
            when(message.delivered_at),
            message.parts,
            message.cost,
        ]


@bp.post("/bulk")
def bulk() -> AnyResponse:
    """What is done with the ticked messages."""
    chosen, verb = request.form.getlist("chosen", type=whole)[:500], request.form.get("verb", "")
    if verb not in {"cancel", "write"}:
        abort(400)
    if not chosen:
        flash(gettext("Cochez au moins un SMS."), "warning")
    elif verb == "write":
        return redirect(url_for("messages.new", copy_to=",".join(map(str, chosen))))
    else:
        number = cancel_waiting(chosen, current_user.id)
        flash(ngettext("%(num)s SMS annulé.", "%(num)s SMS annulés.", number), "success" if number else "warning")
    return redirect(url_for("messages.index"))


@bp.get("/doubts")
def in_doubt() -> str:
    """ "Envois incertains": what only a person may decide."""
    page = pagination.page(unknown_outcomes.doubtful(), listing.ORDERS["newest"], request.args.get("after"))
    return render_template("messages/doubts.html", page=page)


@bp.post("/<int:message_id>/<any(again, assume):verb>")
def decide(message_id: int, verb: str) -> AnyResponse:
    """ "Renvoyer" and "Considérer comme envoyé"."""
    decided = unknown_outcomes.send_again if verb == "again" else unknown_outcomes.assume_sent
    try:
        decided(message_id, current_user.id)
    except unknown_outcomes.Refused as error:
        flash(gettext(str(error), **error.values), "warning")
    return redirect(url_for("messages.show", message_id=message_id))


@bp.post("/<int:message_id>/recall")
def recall(message_id: int) -> AnyResponse:
    """ "Annuler l’envoi", while it still can be: the text is a draft again."""
    db.get_or_404(Message, message_id)
    try:
        conversation_id = take_back(message_id, current_user.id)
    except TooLate as error:
        flash(gettext(str(error)), "warning")
        return redirect(url_for("messages.show", message_id=message_id))
    flash(gettext("L’envoi est annulé. Votre texte est revenu dans la discussion, comme brouillon."), "success")
    return redirect(url_for("conversations.show", conversation_id=conversation_id))


@bp.url_value_preprocessor
def allow_lists(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """The composer takes files of recipients. Before everything that reads the request."""
    request.max_content_length = request.max_form_memory_size = LARGEST_LIST


@bp.route("/new", methods=["GET", "POST"])
def new() -> composing.Page:
    answered = composing.linked("reply_to", incoming=True)
    return composing.compose(answered, again=composing.linked("again", incoming=False))


@bp.get("/<int:message_id>")
def show(message_id: int) -> str:
    message = db.session.get(Message, message_id)
    if message is None:
        abort(404)
    if message.is_incoming and message.read_at is None and not request.args.get("fragment"):
        threads.mark_all([message.id], read=True)
    answers = db.session.scalars(select(Message).where(Message.reply_to_id == message.id).order_by(Message.id))
    template = "messages/_show.html" if request.args.get("fragment") else "messages/show.html"
    return render_template(
        template,
        message=message,
        answers=list(answers),
        in_doubt=unknown_outcomes.is_doubtful(message),
        name=contact_list.names_of([message.number]).get(message.number),
        advice=advice.on(message),
        raw=advice.as_they_came(message),
    )
