""" "Discussions": the team's inbox, one thread for one person, and what colleagues do with it."""

from __future__ import annotations

import functools
import uuid
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ..campaigns import outgoing_text
from ..conversations import actions, counting, lists, threads, unsent_replies
from ..extensions import db
from ..figures.prices import price_of
from ..forms import mistakes
from ..i18n import N_
from ..language import Mistake
from ..live import typists
from ..models import Campaign, Contact, Conversation, Lane, Message, SavedText
from ..pagination import whole
from ..people import contacts, groups, opt_outs, person
from ..phones import choosing
from ..sending import outbox
from ..sms import phone_numbers as telephone_numbers
from ..storage.transactions import StorageUnavailable
from ..team import preferences, users
from ..web import errors, tables, undoing

bp = Blueprint("conversations", __name__, url_prefix="/conversations")

Page = str | Response | tuple[str, int]
NOT_THERE = N_("Cette discussion n’existe plus : la personne a été effacée depuis que la page est ouverte.")
TABS = (
    ("open", N_("Ouvertes")),
    ("unread", N_("Non lues")),
    ("mine", N_("À moi")),
    ("free", N_("À personne")),
    ("closed", N_("Fermées")),
    ("all", N_("Toutes")),
)


class SecondAnswer(Exception):
    """A colleague has answered meanwhile: `answer` is what they wrote."""

    def __init__(self, answer: Message) -> None:
        super().__init__()
        self.answer = answer


def _asked() -> lists.Asked:
    q = tables.word("q")
    view = request.args.get("view", "")
    return lists.Asked(
        view=view if view in lists.VIEWS else lists.usual_view(q),
        q=q,
        tag=tables.word("tag")[: actions.TAG_LENGTH],
        phone=tables.number("phone"),
    )


def _listed() -> dict[str, Any]:
    """What the list of conversations shows, beside a thread or alone."""
    asked = _asked()
    return {
        "asked": asked,
        "page": lists.page(asked, current_user.id, request.args.get("after")),
        "counts": lists.counts(current_user.id),
        "tabs": TABS,
    }


@bp.get("/")
def index() -> str:
    """The list; what a click on one of them opens has it at its side."""
    template = "conversations/_list.html" if request.args.get("fragment") else "conversations/index.html"
    chosen = request.args.get("chosen", type=whole)  # the one beside which a list stands
    phones = choosing.to_filter_by()
    return render_template(template, **_listed(), tags=actions.known_tags(), phones=phones, chosen=chosen)


@bp.get("/state")
def state() -> Response:
    """What the title of every page says; asked for when something came in."""
    return jsonify(unread=counting.unread_count())


@bp.get("/with")
def with_number() -> Response:
    """The conversation of a phone with a number that we know: begun by a link from any list."""
    number = tables.word("number")
    phone_id = request.args.get("phone", type=whole)
    mine = select(Conversation.id).where(Conversation.number == number)
    if phone_id is not None:
        mine = mine.where(Conversation.phone_id == phone_id)
    found = db.session.scalar(mine.order_by(Conversation.last_at.desc()).limit(1))
    if found is None:
        last = select(Message).where(Message.number == number).order_by(Message.id.desc()).limit(1)
        message = db.session.scalar(last if phone_id is None else last.where(Message.phone_id == phone_id))
        if message is None:
            abort(404)
        found = threads.begin(message.phone_id, number, message.created_at)
    return redirect(url_for("conversations.show", conversation_id=found))


@bp.get("/<int:conversation_id>")
def show(conversation_id: int) -> Page:
    conversation = db.get_or_404(Conversation, conversation_id)
    if request.args.get("fragment"):
        return _fragment(conversation)
    threads.mark_read(conversation_id, up_to=threads.thread(conversation).newest_id)
    draft = unsent_replies.draft_of(conversation_id, current_user.id)
    return _page(conversation, typed=draft, key=uuid.uuid4().hex)


def _fragment(conversation: Conversation) -> str:
    """What was said, once more: the page puts in what is new."""
    before, since = request.args.get("before", type=whole), request.args.get("since", type=whole)
    thread = threads.thread(conversation, before, since)
    if request.args.get("read"):
        threads.mark_read(conversation.id, up_to=thread.newest_id)
    typing = typists.who_is_typing(conversation.id, current_user.id)
    return render_template(
        "conversations/_thread.html",
        conversation=conversation,
        thread=thread,
        campaigns=_campaigns(thread),
        typing=typing,
        older=before is not None,
        joined=bool(request.args.get("joined")),
    )


def _campaigns(thread: threads.Thread) -> dict[int, Campaign]:
    """The campaigns that a stretch of a thread speaks of."""
    ids = {
        number
        for item in thread.items
        if isinstance(item, Message)
        for number in (item.campaign_id, item.answered_campaign_id)
        if number
    }
    return {one.id: one for one in db.session.scalars(select(Campaign).where(Campaign.id.in_(ids)))}


def _page(
    conversation: Conversation,
    *,
    typed: str,
    key: str,
    seen: int | None = None,
    error: str = "",
    answer: Message | None = None,
    note: str = "",
    note_error: str = "",
    status: int = 200,
) -> tuple[str, int]:
    thread = threads.thread(conversation, request.args.get("before", type=whole))
    listed = _listed()
    contact = db.session.scalar(select(Contact).where(Contact.number == conversation.number).order_by(Contact.id))
    own = contacts.groups_of(contact.id) if contact else set()
    page = render_template(
        "conversations/show.html",
        **listed,
        chosen=conversation.id,
        following=_following(listed["page"], conversation.id),
        conversation=conversation,
        thread=thread,
        campaigns=_campaigns(thread),
        typing=typists.who_is_typing(conversation.id, current_user.id),
        older=False,
        contact=contact,
        groups=[group for group in groups.all_groups() if group.id in own],
        name=contact.name if contact else "",
        silence=opt_outs.of_number(conversation.number),
        suspected=opt_outs.suspected_of(conversation.number),
        price=price_of(conversation.phone),
        failure=threads.last_failure(conversation),
        colleagues=users.colleagues(),
        tags=actions.known_tags(),
        phones=choosing.to_filter_by(),
        saved_texts=list(db.session.scalars(select(SavedText).order_by(SavedText.name))),
        typed=typed,
        key=key,
        seen=thread.newest_id if seen is None else seen,
        newest=thread.newest_id,
        can_answer=telephone_numbers.is_number(conversation.number) and not conversation.phone.is_deleted,
        error=error,
        answer=answer,
        note=note,
        note_error=note_error,
    )
    return page, status


def _following(page: lists.Shown, conversation_id: int) -> int | None:
    """The conversation below this one in the list, or the first one when it is not there: where to go on."""
    ids = [hit.conversation.id for hit in page.hits]
    place = ids.index(conversation_id) + 1 if conversation_id in ids else 0
    return ids[place] if place < len(ids) else None


@bp.get("/<int:conversation_id>/text/<int:text_id>")
def saved_text(conversation_id: int, text_id: int) -> Response:
    """A saved text as this person gets it, for the composer's script."""
    conversation = db.get_or_404(Conversation, conversation_id)
    try:
        return jsonify(text=_filled(conversation, text_id))
    except Mistake as mistake:
        return jsonify(error=mistakes.in_text(mistake))


def _filled(conversation: Conversation, text_id: int) -> str:
    """A saved text as the person of a conversation gets it. Raises language.Mistake."""
    text = db.get_or_404(SavedText, text_id).text
    contact = db.session.scalar(select(Contact).where(Contact.number == conversation.number).order_by(Contact.id))
    return outgoing_text.filled(text, person.person(contact) if contact else None).text


@bp.post("/<int:conversation_id>/reply")
def reply(conversation_id: int) -> Page:
    """Answer, unless a colleague has done so since this page was opened: that is asked first."""
    conversation = db.session.get(Conversation, conversation_id)
    typed, key = request.form.get("text", ""), request.form.get("key", "")
    if conversation is None or request.form.get("number", conversation.number) != conversation.number:
        return errors.gone(gettext(NOT_THERE), typed)
    seen = request.form.get("seen", 0, type=whole)
    if (text_id := request.form.get("saved", type=whole)) is not None:  # without a script: put behind what was typed
        return _with_saved_text(conversation, text_id, typed, key, seen)
    if request.form.get("keep"):
        unsent_replies.keep_draft(conversation_id, current_user.id, typed)
        flash(gettext("Le brouillon est gardé."), "success")
        return redirect(url_for("conversations.show", conversation_id=conversation_id))
    return _sent(conversation, typed, key, seen)


def _sent(conversation: Conversation, typed: str, key: str, seen: int) -> Page:
    """Send what was typed, or say why not, with all of it."""

    def check(session: Session) -> None:
        answer = threads.answer_since(session, conversation, seen, current_user.id)
        if answer is not None:
            raise SecondAnswer(answer)

    try:
        posted = _post(conversation, typed, key, check)
    except SecondAnswer as second:
        return _page(conversation, typed=typed, key=key, seen=second.answer.id, answer=second.answer, status=409)
    except outbox.Refused as error:
        return _page(conversation, typed=typed, key=key, seen=seen, error=gettext(str(error)), status=400)
    except StorageUnavailable as error:
        db.session.rollback()
        return _page(conversation, typed=typed, key=key, seen=seen, error=gettext(str(error)), status=503)
    if posted.refused:
        [refusal] = posted.refused
        sentence = gettext(refusal.sentence, **refusal.values)
        return _page(conversation, typed=typed, key=key, seen=seen, error=sentence, status=400)
    typists.stopped_typing(conversation.id, current_user.id)
    [message] = posted.messages
    if message.number != conversation.number:  # the thread of the number that the person has
        there = url_for("conversations.with_number", number=message.number, phone=conversation.phone_id)
        return redirect(there)
    return redirect(url_for("conversations.show", conversation_id=conversation.id))


def _with_saved_text(conversation: Conversation, text_id: int, typed: str, key: str, seen: int) -> Page:
    try:
        text = _filled(conversation, text_id)
    except Mistake as mistake:
        return _page(conversation, typed=typed, key=key, seen=seen, error=mistakes.in_text(mistake), status=400)
    return _page(conversation, typed="\n".join(filter(None, (typed, text))), key=key, seen=seen)


def _post(conversation: Conversation, text: str, key: str, check: Any) -> outbox.Posted:
    answered = threads.last_received(conversation)
    return outbox.post(
        conversation.phone,
        # A conversation of before knows a number of the territories as the mainland's, which nobody has.
        [telephone_numbers.read(conversation.number)[0] or conversation.number],
        text,
        user_id=current_user.id,
        lane=Lane.REPLY if answered else Lane.SINGLE,
        reply_to_id=answered.id if answered else None,
        form_key=key or None,
        hold_seconds=preferences.current().undo_single,
        before=check,
        also=functools.partial(unsent_replies.sent, conversation.id, current_user.id, key),
    )


@bp.post("/<int:conversation_id>/draft")
def draft(conversation_id: int) -> tuple[str, int]:
    """What the page keeps while somebody types; colleagues see that they do."""
    db.get_or_404(Conversation, conversation_id)
    typed = request.form.get("text", "")
    is_kept = unsent_replies.keep_draft(conversation_id, current_user.id, typed, request.form.get("key", ""))
    if is_kept and typed.strip():
        typists.typing(conversation_id, current_user.id, current_user.name)
    else:
        typists.stopped_typing(conversation_id, current_user.id)
    return "", 204


@bp.post("/<int:conversation_id>/<any(close, reopen, take, assign, tag, untag):verb>")
def act(conversation_id: int, verb: str) -> Response:
    """What is done with a conversation."""
    db.get_or_404(Conversation, conversation_id)
    try:
        if verb == "close":
            actions.close(conversation_id, request.form.get("seen", 0, type=whole))
        elif verb == "reopen":
            actions.reopen(conversation_id)
        elif verb == "take":
            actions.assign(conversation_id, current_user.id)
        elif verb == "assign":
            actions.assign(conversation_id, request.form.get("user", type=whole))
        elif verb == "tag":
            actions.tag(conversation_id, request.form.get("tag", ""))
        else:
            name = request.form.get("tag", "")
            actions.untag(conversation_id, name)
            again = url_for("conversations.act", conversation_id=conversation_id, verb="tag")
            undoing.offer(gettext("Étiquette « %(name)s » retirée.", name=name), again, seconds=10, tag=name)
    except actions.Refused as error:
        flash(gettext(str(error)), "warning")
    return redirect(url_for("conversations.show", conversation_id=conversation_id))


@bp.post("/<int:conversation_id>/note")
def note(conversation_id: int) -> Page:
    """An internal note: colleagues read it, the person never."""
    typed = request.form.get("note", "")
    conversation = db.session.get(Conversation, conversation_id)
    if conversation is None:
        return errors.gone(gettext(NOT_THERE), typed)
    try:
        actions.note(conversation_id, current_user.id, typed)
    except actions.Refused as error:
        draft = unsent_replies.draft_of(conversation_id, current_user.id)
        sentence = gettext(str(error))
        return _page(conversation, typed=draft, key=uuid.uuid4().hex, note=typed, note_error=sentence, status=400)
    return redirect(url_for("conversations.show", conversation_id=conversation_id))


@bp.post("/bulk")
def bulk() -> Response:
    """What is done with the ticked ones."""
    # Each says up to which message it was seen: what came since keeps it open.
    pairs = (raw.partition("-") for raw in request.form.getlist("conversation")[: lists.PAGE * 2])
    chosen = {int(one): int(seen) for one, _, seen in pairs if one.isdecimal() and seen.isdecimal()}
    verb = request.form.get("verb", "")
    if verb not in {"close", "take", "reopen"}:
        abort(400)
    if not chosen:
        flash(gettext("Cochez au moins une discussion."), "warning")
    for conversation_id in list(db.session.scalars(select(Conversation.id).where(Conversation.id.in_(chosen)))):
        if verb == "close":
            try:
                actions.close(conversation_id, chosen[conversation_id])
            except actions.Refused as error:
                flash(gettext(str(error)), "warning")
        elif verb == "reopen":
            actions.reopen(conversation_id)
        else:
            actions.assign(conversation_id, current_user.id)
    return redirect(url_for("conversations.index", view=request.form.get("view") or None))
