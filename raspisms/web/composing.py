"""The composer: what it shows, what it makes of what was typed."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import format_datetime, gettext
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from .. import gate
from ..campaigns import drafts, lifecycle
from ..campaigns.drafts import freest_phone
from ..clock import now
from ..conversations import threads
from ..extensions import db
from ..forms.compose import NAMED_CONTACTS, ComposeForm
from ..models import Campaign, Contact, Conversation, Group, Import, Lane, Message, Phone, SavedText
from ..pagination import whole
from ..people import contact_list, groups, imports
from ..phones import choosing
from ..sending import outbox
from ..sms import phone_numbers as telephone_numbers
from ..sms import rewriting
from ..storage.transactions import StorageUnavailable
from ..team import preferences

Page = str | Response | tuple[str, int]
# So many of those who may not be written to are named, beside a text that went to nobody.
NAMED_REFUSALS = 10


class NobodyLeft(Exception):
    """None of those whom it was for may be written to: the page comes back, with all that was typed."""

    def __init__(self, refused: list[gate.Refusal]) -> None:
        super().__init__(len(refused))
        self.refused = refused


def compose(answered: Message | None = None, again: Message | None = None, draft: Campaign | None = None) -> Page:
    """The page, or what follows from it: an SMS on its way, or the review of a campaign."""
    phones = choosing.offered()
    if not phones:
        return render_template("messages/no_phone.html")
    form = ComposeForm(phones, answered, again, draft)
    status, conflict = 400 if form.is_submitted() else 200, False
    if form.is_submitted() and _is_only_redrawn(form):
        status = 200
    elif form.validate_on_submit():
        try:
            _keep_file(form)
            return _campaign(form, draft) if form.is_campaign else _message(form, answered)
        except outbox.Refused as error:
            form[error.field].errors = [gettext(str(error))]
        except NobodyLeft as error:
            said = [gettext(one.sentence, **one.values) for one in error.refused[:NAMED_REFUSALS]]
            form.to.errors = said or [gettext("Cette personne n’est plus dans vos contacts.")]
        except drafts.ChangedMeanwhile:
            conflict = True
        except lifecycle.Refused as error:
            flash(gettext(str(error)), "warning")
        except StorageUnavailable as error:  # the page comes back with all that was typed
            db.session.rollback()
            flash(gettext(str(error)), "error")
            status = 503
    elif not form.is_submitted():
        form.key.data = uuid.uuid4().hex
        _copy_recipients(form)
        _begin_with(form)
    _keep_file_if_possible(form)
    return render_template(
        "messages/new.html", form=form, answered=answered, draft=draft, conflict=conflict, **_shown(form, phones)
    ), status


def _is_only_redrawn(form: ComposeForm) -> bool:
    """Whether a button was pressed that a script stands in for elsewhere: the page comes back, changed."""
    if request.form.get("rewrite"):
        form.text.data = rewriting.without_foreign(form.text.data or "")
    elif dropped := request.form.get("drop"):
        form.drop(dropped)
    else:
        return False
    form.read_file()
    return True


def _keep_file(form: ComposeForm) -> None:
    """A browser sends a file once: what comes back, for whatever reason, has its people already."""
    if form.file_lines:
        form.import_id = imports.begin(form.file_lines, form.file_name, current_user.id, origin=form.file_name).id
        form.file_lines = []


def _keep_file_if_possible(form: ComposeForm) -> None:
    try:
        _keep_file(form)
    except StorageUnavailable:
        db.session.rollback()
        form.file.errors = [gettext("Choisissez ce fichier encore une fois.")]


def autosave(draft: Campaign | None) -> dict[str, Any]:
    """Keep what somebody is writing, as far as it can be understood: the draft's id and revision, and when."""
    form = ComposeForm(choosing.offered(), draft=draft)
    form.is_being_written = True
    form.validate()  # what is wrong is said when they send it
    form.forget_mistakes()
    saved = drafts.save(
        draft.id if draft else None,
        form.wish(form.import_id),
        current_user.id,
        form_key=(form.key.data or "")[:64] or None,
        revision=request.form.get("revision") if draft else None,
        being_written=True,
    )
    there = url_for("campaigns.edit", campaign_id=saved.id)
    return {"id": saved.id, "revision": saved.revision, "url": there, "at": format_datetime(now(), "HH:mm")}


def _copy_recipients(form: ComposeForm) -> None:
    """Write to the people that messages were sent to."""
    ids = [int(one) for one in request.args.get("copy_to", "").split(",") if one.isdecimal()][:500]
    if ids:
        found = db.session.scalars(select(Message.number).where(Message.id.in_(ids)).order_by(Message.id))
        form.to.data = "\n".join(dict.fromkeys(map(telephone_numbers.pretty, found)))


def _begin_with(form: ComposeForm) -> None:
    """Write to the number, the contact or the group that the address names: it stands there already."""
    if number := request.args.get("number", ""):
        form.to.data = telephone_numbers.pretty(number[:32])
    contact_id, group_id = request.args.get("contact", type=whole), request.args.get("group", type=whole)
    if contact_id is not None and db.session.get(Contact, contact_id) is not None:
        form.contact_ids = [contact_id]
    if group_id is not None and db.session.get(Group, group_id) is not None:
        form.group_ids = [group_id]


def _shown(form: ComposeForm, phones: list[Phone]) -> dict[str, object]:
    """What the page offers to choose from."""
    named = form.contact_ids[:NAMED_CONTACTS]
    chosen = list(db.session.scalars(select(Contact).where(Contact.id.in_(named)).order_by(Contact.id)))
    return {
        "phones": phones,
        "groups": groups.all_groups(),
        "any_phone": db.session.get(Phone, freest_phone(db.session())) if phones else None,
        "chosen_contacts": chosen,
        "saved_texts": list(db.session.scalars(select(SavedText).order_by(SavedText.name))),
        "keys": contact_list.known_keys(),
    }


def _campaign(form: ComposeForm, draft: Campaign | None) -> Response:
    import_id = form.import_id
    if import_id is not None and db.session.get(Import, import_id) is None:
        import_id = None
    saved = drafts.save(
        draft.id if draft else None,
        form.wish(import_id),
        current_user.id,
        form_key=(form.key.data or "")[:64] or None,
        revision=(request.form.get("overwrite") or request.form.get("revision")) if draft else None,
    )
    return redirect(url_for("campaigns.show", campaign_id=saved.id))


def _message(form: ComposeForm, answered: Message | None) -> Response:
    is_reply = answered is not None and form.people == [answered.number]
    phone = form.chosen_phone or db.session.get_one(Phone, freest_phone(db.session()))
    if not form.people:
        raise NobodyLeft([])
    posted = outbox.post(
        phone,
        form.people,
        form.text.data or "",
        user_id=current_user.id,
        lane=Lane.REPLY if is_reply else Lane.SINGLE,
        reply_to_id=answered.id if answered and is_reply else None,
        # What was chosen, 0 for any: which one that turns out to be may change between two sendings of the same page.
        form_key=f"{form.key.data}\0{form.phone.data}" if form.key.data else None,
        expires_at=form.expiry,
        hold_seconds=preferences.current().undo_single,
        tag=(form.tag.data or "").replace("\0", "").strip()[:255] or None,
    )
    if not posted.messages:
        raise NobodyLeft(posted.refused)
    if answered and is_reply:
        threads.mark_all([answered.id], read=True)
    return _posted(posted)


def _posted(posted: outbox.Posted) -> Response:
    for refusal in posted.refused:
        flash(gettext(refusal.sentence, **refusal.values), "warning")
    [message] = posted.messages  # to one person: what was said with them is where one goes on
    mine = select(Conversation.id).where(Conversation.phone_id == message.phone_id)
    there = db.session.scalar(mine.where(Conversation.number == message.number))
    return redirect(url_for("conversations.show", conversation_id=there))


def linked(argument: str, *, incoming: bool) -> Message | None:
    """The message that the link to this page speaks of: one to answer, or one to write again."""
    message_id = request.args.get(argument, type=whole)
    message = db.session.get(Message, message_id) if message_id is not None else None
    return message if message and message.is_incoming is incoming else None
