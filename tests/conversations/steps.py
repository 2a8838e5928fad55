"""What tests of conversations do again and again."""

from __future__ import annotations

from sqlalchemy import select

from raspisms.adapters.base import Reply
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Campaign, Conversation, JournalEntry, Message, Status
from raspisms.receiving import replies
from raspisms.storage.transactions import transaction
from tests.factories import LEA


def hears(phone, text="Bonjour", number=LEA):
    with transaction() as session:
        entry = JournalEntry(phone=phone, phone_id=phone.id, kind="reception", body=text.encode(), received_at=now())
        session.add(entry)
        session.flush()
        replies.apply(session, entry, Reply(number, text, "", "", now()))
    return db.session.scalar(select(Message).order_by(Message.id.desc()).limit(1))


def the_conversation():
    return db.session.scalar(select(Conversation).limit(1))


def campaign(phone, status, name="C"):
    """A message of a campaign that stands so."""
    with transaction() as session:
        made = Campaign(name=name, phone_id=phone.id, text="Venez-vous ?", purpose="information")
        session.add(made)
        session.flush()
        sent_at = now() if status in (Status.SENT, Status.DELIVERED) else None
        session.add(
            Message(
                direction="out",
                phone_id=phone.id,
                number=LEA,
                text="Venez-vous ?",
                status=status,
                campaign_id=made.id,
                sent_at=sent_at,
            )
        )
    return made.id
