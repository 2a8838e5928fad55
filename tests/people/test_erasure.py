"""Nothing is left of a person who was erased."""

from __future__ import annotations

from sqlalchemy import select, update

from raspisms.conversations import actions, unsent_replies
from raspisms.extensions import db
from raspisms.messages import search
from raspisms.models import JournalEntry, Notice, NoticeKind, ReplyDraft
from raspisms.people import contacts, erasure
from raspisms.storage.transactions import transaction
from tests.conversations.steps import hears
from tests.factories import LEA


def test_nothing_of_a_person_is_left_in_notes_drafts_notices_or_the_journal(here):
    saved = contacts.save(None, None, "Léa", LEA, {})
    message = hears(here, "secret")
    actions.note(1, 1, "secret")
    unsent_replies.keep_draft(1, 1, "secret")
    actions.tag(1, "secret")
    with transaction() as session:
        entry = session.scalar(select(JournalEntry))
        session.execute(update(JournalEntry).values(body=b"secret"))
        session.add(Notice(user_id=1, kind=NoticeKind.RECEIVED, message_id=message.id))
        assert entry is not None
    with transaction() as session:
        erasure.erase(session, session.get(contacts.Contact, saved.id))
    db.session.rollback()
    tables = ("conversations", "conversation_tags", "notes", "reply_drafts", "notices", "messages", "message_events")
    for table in tables:
        assert db.session.execute(db.text(f"SELECT count(*) FROM {table}")).scalar() == 0, table
    assert db.session.scalar(select(JournalEntry.body)) == b""

    assert search.ids("secret") == []
    assert db.session.scalar(select(ReplyDraft.text)) is None
