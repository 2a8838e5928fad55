"""Forgetting a person: all that is kept of them, but that they said STOP."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .. import refusals
from ..extensions import db
from ..i18n import N_
from ..messages import search
from ..models import (
    Action,
    Contact,
    Conversation,
    ImportLine,
    JournalEntry,
    Message,
    MessageEvent,
    Recipient,
    group_contacts,
)
from ..models.message import FINAL_STATUSES
from ..sms import phone_numbers
from ..storage.transactions import transaction
from ..team import audit
from . import opt_outs, traces


class StillLeaving(refusals.Refused):
    """Something for this person is on its way: it cannot be forgotten yet."""

    def __init__(self) -> None:
        super().__init__(N_("Un SMS pour cette personne est en route : réessayez quand il sera parti."))


def forget(contact_id: int, user_id: int | None) -> None:
    """Forget a person whose contact this is; a STOP survives as a digest. Raises StillLeaving."""
    number = db.session.get_one(Contact, contact_id).number
    found = traces.find(number)  # nobody waits for this search
    if _is_still_leaving(db.session(), number):
        raise StillLeaving
    traces.forget_files()
    with transaction() as session:
        contact = session.get_one(Contact, contact_id)
        opt_outs.forget_number(session, contact.number)
        erase(session, contact, found)
        audit.record(session, user_id, Action.PERSON_ERASED, contact_id)


def erase(session: Session, contact: Contact, found: traces.Traces | None = None) -> None:
    """Forget a person: the contacts with this number and all that was said. Call inside a transaction.

    `found` is what `traces.find` found before, so that nobody waits for the search. An opt-out survives as a digest;
    see people.opt_outs.forget_number. Raises StillLeaving.
    """
    numbers = phone_numbers.spellings(contact.number)
    mine = Message.number.in_(numbers)
    if _is_still_leaving(session, contact.number):
        raise StillLeaving
    messages = select(Message.id).where(mine)
    search.forget(session, list(session.scalars(select(Message).where(mine))))
    session.execute(delete(Conversation).where(Conversation.number.in_(numbers)))
    session.execute(update(Message).where(Message.reply_to_id.in_(messages)).values(reply_to_id=None))
    told = select(MessageEvent.journal_id).where(MessageEvent.message_id.in_(messages))
    traces.wipe_journal(session, JournalEntry.id.in_(told))
    traces.forget(session, contact.number, found or traces.find(contact.number))
    for former in numbers[1:]:
        traces.forget(session, former, traces.find(former))
    session.execute(delete(MessageEvent).where(MessageEvent.message_id.in_(messages)))
    session.execute(delete(Message).where(mine))
    same = select(Contact.id).where(Contact.number == contact.number)
    session.execute(delete(Recipient).where(Recipient.number.in_(numbers)))
    session.execute(
        delete(ImportLine).where((ImportLine.number.in_(numbers)) | ImportLine.contact_id.in_(same)),
        execution_options={"synchronize_session": False},
    )
    session.execute(delete(group_contacts).where(group_contacts.c.contact_id.in_(same)))
    session.execute(delete(Contact).where(Contact.number == contact.number))
    session.expire_all()


def _is_still_leaving(session: Session, number: str) -> bool:
    mine = Message.number.in_(phone_numbers.spellings(number))
    leaving = Message.status.not_in([*FINAL_STATUSES, "sent", "unknown"])
    return session.scalar(select(Message.id).where(mine, leaving)) is not None
