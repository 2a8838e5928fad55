"""Messages: writing, the sent list, one message with its history."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from ..database import StorageUnavailable, now, transaction
from ..extensions import db
from ..forms.message import ComposeForm
from ..models import Direction, Lane, Message, Phone
from ..sending import doubts, outbox
from . import paging

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


@bp.route("/new", methods=["GET", "POST"])
def new() -> str | Response | tuple[str, int]:
    phones = list(db.session.scalars(select(Phone).order_by(Phone.name)))
    if not phones:
        return render_template("messages/no_phone.html")
    answered = _linked("reply_to", incoming=True)
    form = ComposeForm(phones, answered, again=_linked("again", incoming=False))
    status = 400 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            posted = _post(form, answered)
        except outbox.TextRefused as error:
            form.text.errors = [gettext(str(error))]
        except StorageUnavailable as error:  # the page comes back with all that was typed
            db.session.rollback()
            flash(gettext(str(error)), "error")
            status = 503
        else:
            return _posted(posted)
    elif not form.is_submitted():
        form.key.data = uuid.uuid4().hex
    return render_template("messages/new.html", form=form, answered=answered, phones=phones), status


def _linked(argument: str, *, incoming: bool) -> Message | None:
    """The message that the link to this page speaks of: one to answer, or one to write again."""
    message_id = request.args.get(argument, type=int)
    message = db.session.get(Message, message_id) if message_id is not None else None
    return message if message and message.is_incoming is incoming else None


def _post(form: ComposeForm, answered: Message | None) -> outbox.Posted:
    is_reply = answered is not None and form.numbers == [answered.number]
    posted = outbox.post(
        form.chosen_phone,
        form.numbers,
        form.text.data or "",
        user_id=current_user.id,
        lane=Lane.REPLY if is_reply else Lane.SINGLE,
        reply_to_id=answered.id if answered and is_reply else None,
        form_key=form.key.data or None,
    )
    if answered and is_reply:
        _mark_read(answered.id)
    return posted


def _posted(posted: outbox.Posted) -> Response:
    for number in posted.opted_out:
        flash(gettext("%(number)s a envoyé STOP : rien ne lui a été envoyé.", number=number), "warning")
    if len(posted.messages) == 1:
        return redirect(url_for("messages.show", message_id=posted.messages[0].id))
    if posted.messages:
        count = len(posted.messages)
        flash(ngettext("%(num)s SMS en route.", "%(num)s SMS en route.", count), "success")
    return redirect(url_for("messages.index"))


@bp.get("/<int:message_id>")
def show(message_id: int) -> str:
    message = db.session.get(Message, message_id)
    if message is None:
        abort(404)
    if message.is_incoming and message.read_at is None and not request.args.get("fragment"):
        _mark_read(message.id)
    answers = db.session.scalars(select(Message).where(Message.reply_to_id == message.id).order_by(Message.id))
    template = "messages/_show.html" if request.args.get("fragment") else "messages/show.html"
    in_doubt = doubts.is_doubtful(message)
    return render_template(template, message=message, answers=list(answers), in_doubt=in_doubt)


def _mark_read(message_id: int) -> None:
    with transaction() as session:
        session.get_one(Message, message_id).read_at = now()
