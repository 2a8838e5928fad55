"""Messages: writing, the sent list, one message with its history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import format_datetime, gettext, ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from .. import statistics
from ..conversations import care, threads
from ..database import transaction
from ..extensions import db
from ..finding import messages as finding
from ..labels import STATUS_LABELS
from ..models import Direction, Message, Phone
from ..people import contacts, exports
from ..sending import doubts, holding, withdrawal
from . import advice, compose, downloads, paging
from .arguments import whole
from .imports import LARGEST_LIST

bp = Blueprint("messages", __name__, url_prefix="/messages")


def asked(direction: Direction) -> finding.Asked:
    """What the URL of a list of messages asks for."""
    return finding.Asked(
        direction,
        q=request.args.get("q", "").replace("\0", "")[:200],
        status=request.args.get("status", ""),
        phone=request.args.get("phone", type=whole),
        tag=request.args.get("tag", "").replace("\0", "")[:255],
        first=_day("from"),
        last=_day("to"),
        unread=bool(request.args.get("unread")),
        campaign=request.args.get("campaign", type=whole),
        sort=request.args.get("sort", "newest"),
    )


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def listed(wanted: finding.Asked) -> dict[str, Any]:
    """A page of messages, with what the filters offer and the names to show."""
    page = finding.page(wanted, request.args.get("after"))
    return {
        "asked": wanted,
        "page": page,
        "names": contacts.names_of([message.number for message in page.rows]),
        "phones": list(db.session.scalars(select(Phone).order_by(Phone.name))),
        "status_options": [(one.value, gettext(STATUS_LABELS[one])) for one in statistics.SHOWN],
    }


@bp.get("/")
def index() -> str:
    """ "SMS envoyés"."""
    template = "messages/_sent.html" if request.args.get("fragment") else "messages/index.html"
    return render_template(template, **listed(asked(Direction.OUT)), doubts=doubts.count())


@bp.get("/sent.csv")
def export() -> Response:
    """The sent messages that the list shows, all of them."""
    header = [
        gettext("Expéditeur"), gettext("Destinataire"), gettext("Message"), gettext("Tag"), gettext("Date"),
        gettext("Statut"), gettext("Délivré"), gettext("SMS"), gettext("Coût"),
    ]  # fmt: skip
    return downloads.csv(exports.csv_lines(header, _sent_lines(asked(Direction.OUT))), "sms-envoyes.csv")


def _sent_lines(wanted: finding.Asked) -> Iterator[list[object]]:
    for message in finding.everything(wanted):
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


def when(moment: Any) -> str:
    """A time as a spreadsheet understands it."""
    return str(format_datetime(moment, "yyyy-MM-dd HH:mm:ss")) if moment else ""


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
        number = withdrawal.cancel_waiting(chosen, current_user.id)
        flash(ngettext("%(num)s SMS annulé.", "%(num)s SMS annulés.", number), "success" if number else "warning")
    return redirect(url_for("messages.index"))


@bp.get("/doubts")
def in_doubt() -> str:
    """ "Envois incertains": what only a person may decide."""
    page = paging.page(doubts.doubtful(), request.args.get("before", type=whole))
    return render_template("messages/doubts.html", page=page)


@bp.post("/<int:message_id>/<any(again, assume):verb>")
def decide(message_id: int, verb: str) -> AnyResponse:
    """ "Renvoyer" and "Considérer comme envoyé"."""
    decided = doubts.send_again if verb == "again" else doubts.assume_sent
    try:
        decided(message_id, current_user.id)
    except doubts.Refused as error:
        flash(gettext(str(error)), "warning")
    return redirect(url_for("messages.show", message_id=message_id))


@bp.post("/<int:message_id>/recall")
def recall(message_id: int) -> AnyResponse:
    """ "Annuler l’envoi", while it still can be: the text is a draft again."""
    message = db.get_or_404(Message, message_id)
    with transaction() as session:
        conversation = threads.of(session, message.phone_id, message.number)
    try:
        holding.call_back(message_id, current_user.id)
    except holding.TooLate as error:
        flash(gettext(str(error)), "warning")
        return redirect(url_for("messages.show", message_id=message_id))
    care.give_back(conversation.id, message.user_id or current_user.id, message.text)
    flash(gettext("L’envoi est annulé. Votre texte est revenu dans la discussion, comme brouillon."), "success")
    return redirect(url_for("conversations.show", conversation_id=conversation.id))


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
    return render_template(
        template,
        message=message,
        answers=list(answers),
        in_doubt=doubts.is_doubtful(message),
        name=contacts.names_of([message.number]).get(message.number),
        advice=advice.on(message),
        raw=advice.as_they_came(message),
    )
