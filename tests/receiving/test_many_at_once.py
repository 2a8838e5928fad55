"""Replies that come by the hundred are stored in groups: the same rows as one by one, in short transactions."""

import json
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Conversation, JournalEntry, JournalState, Message, OptOut
from raspisms.models.message import AWAY_ANSWER
from raspisms.receiving import incoming, journal, replies
from raspisms.receiving.inbox import inbox
from raspisms.storage import stride
from raspisms.storage.transactions import transaction
from raspisms.team import opening_hours, preferences
from tests import factories
from tests.factories import LEA, NUMBER

PEOPLE = (LEA, "+33639980002", "36105")
TEXTS = ("Oui", "non", "Bonjour, à demain", "STOP", "start", "stop, c’est trop", "")


def said(person, text, minutes=0, **more):
    at = (now() - timedelta(minutes=5 - minutes / 100)).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")
    return {"number": person, "text": text, "sim_card_number": NUMBER, "reception_date": at} | more


def deliver(phone_id, *bodies):
    inbox().add(
        *[journal.spooled(phone_id, "reception", "application/json", "", json.dumps(b).encode()) for b in bodies]
    )
    journal.import_inbox()
    journal.apply_new()
    db.session.rollback()


def story(phone_id):
    """All that replies left, without what differs between two phones."""
    numbers = {}
    mine = select(Message).where(Message.phone_id == phone_id)
    messages = db.session.scalars(mine.order_by(Message.number, Message.id)).all()  # the order of each person's
    for place, message in enumerate(messages):
        numbers[message.id] = place
    told = [
        (m.number, m.text, m.status, m.answer, m.stop, numbers.get(m.reply_to_id), m.parts, m.created_at, len(m.events))
        for m in messages
    ]
    conversations = db.session.scalars(
        select(Conversation).where(Conversation.phone_id == phone_id).order_by(Conversation.number)
    )
    heard = [
        (c.number, c.unread, numbers.get(c.last_message_id), c.last_at, c.waiting_since, c.is_closed)
        for c in conversations
    ]
    return told, heard


@pytest.mark.parametrize("first", ["alone", "answered", "closed"])
@given(crowd=st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(TEXTS)), min_size=5, max_size=25))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_group_leaves_what_one_by_one_leaves(app, first, crowd):
    with app.app_context(), pytest.MonkeyPatch.context() as patch:
        stories = []
        bodies = [said(person, text, place) for place, (person, text) in enumerate(crowd)]
        bodies += bodies[:2]  # some come twice
        earlier = said(LEA, "Une question", -100)
        for alone in (True, False):
            patch.setattr(journal, "CROWD", 10**9 if alone else 5)
            clear()
            phone = factories.phone()
            if first != "alone":
                deliver(phone.id, earlier)
            if first == "closed":
                with transaction() as session:
                    session.scalars(select(Conversation)).one().closed_at = now()
            deliver(phone.id, *bodies)
            stories.append(story(phone.id))
        assert stories[0] == stories[1]
        assert not db.session.scalars(select(JournalEntry.id).where(JournalEntry.state != JournalState.APPLIED)).all()


def clear():
    db.session.rollback()
    with transaction() as session:
        for table in reversed(db.metadata.sorted_tables):
            if table.name not in ("users",):
                session.execute(table.delete())


def test_a_callback_of_a_thousand_is_applied_in_short_transactions(app, phone, monkeypatch):
    lasted = []

    @contextmanager
    def timed(**more):
        begun = time.monotonic()
        with transaction(**more) as session:
            yield session
        lasted.append(time.monotonic() - begun)

    monkeypatch.setattr(journal, "transaction", timed)
    with app.app_context():
        people = [f"+3363998{n:04d}" for n in range(1000)]
        deliver(phone.id, [said(person, f"Oui, {n}") for n, person in enumerate(people)])
        assert db.session.scalar(select(db.func.count()).select_from(Message)) == 1000
        [entry] = db.session.scalars(select(JournalEntry))
        assert entry.state is JournalState.APPLIED
    assert len(lasted) > 1000 / 300  # in several, each of so many items as the last one showed that there is time for


def test_of_a_list_what_can_be_read_is_applied_and_the_rest_is_shown(app, phone, get, client):
    with app.app_context():
        body = [said(LEA, "Je viens"), None, {"text": "de personne", "reception_date": "2026-11-26 05:00:00"}, 7]
        deliver(phone.id, [*body, said(PEOPLE[1], "Moi aussi")])
        assert sorted(db.session.scalars(select(Message.text))) == ["Je viens", "Moi aussi"]
        [entry] = db.session.scalars(select(JournalEntry))
        assert entry.state is JournalState.UNREADABLE
        assert "1 callback" in get("/").text
        page = get("/callbacks-in-trouble/").text
        assert "de personne" in page
        assert "without a number" in page

        journal.try_again(entry.id, None)
        journal.apply_new()
        db.session.rollback()
        assert len(db.session.scalars(select(Message.text)).all()) == 2


def test_hundreds_that_cannot_be_read_hold_up_nobody(app, phone):
    with app.app_context():
        nobody = {"text": "de personne", "reception_date": "2026-11-26 05:00:00"}
        deliver(phone.id, [nobody] * 350 + [said(LEA, "Avec eux")], said(LEA, "Derrière eux", 1))
        assert sorted(db.session.scalars(select(Message.text))) == ["Avec eux", "Derrière eux"]
        states = list(db.session.scalars(select(JournalEntry.state).order_by(JournalEntry.id)))
        assert states == [JournalState.UNREADABLE, JournalState.APPLIED]


def test_one_that_cannot_be_applied_holds_up_none_of_its_thousand(app, phone, monkeypatch):
    factories.poison_replies(monkeypatch)
    monkeypatch.setattr(replies, "apply_many", lambda *_: 1 / 0)
    with app.app_context():
        crowd = [said(LEA, "poison")] + [said(LEA, f"Oui {n}", n) for n in range(60)] + [said(PEOPLE[1], "STOP")]
        deliver(phone.id, crowd)
        assert db.session.scalar(select(db.func.count()).select_from(Message)) == 61
        assert db.session.scalars(select(OptOut.number)).all() == [PEOPLE[1]]
        [entry] = db.session.scalars(select(JournalEntry))
        assert (entry.state, entry.attempts, entry.outcome) == (JournalState.NEW, 1, "RuntimeError")
        monkeypatch.undo()
        with transaction() as session:
            session.get_one(JournalEntry, entry.id).next_attempt_at = None
        journal.apply_new()
        db.session.rollback()
        assert db.session.scalar(select(db.func.count()).select_from(Message)) == 62
        assert db.session.get(JournalEntry, entry.id).state is JournalState.APPLIED


def test_a_body_of_thousands_of_nothings_holds_up_nobody(app, phone):
    with app.app_context():
        begun = time.monotonic()
        deliver(phone.id, [{}] * 80_000, said(LEA, "Derrière"))
        assert time.monotonic() - begun < 10
        assert list(db.session.scalars(select(Message.text))) == ["Derrière"]
        first = db.session.scalars(select(JournalEntry).order_by(JournalEntry.id)).first()
        assert first.state is JournalState.UNREADABLE


def test_a_broken_envelope_keeps_nobody_beside_it_from_being_heard(app, phone):
    with app.app_context():
        deliver(phone.id, [{"data": "{broken"}, said(LEA, "STOP")])
        assert db.session.scalars(select(OptOut.number)).all() == [LEA]


def test_a_crowd_of_one_person_leaves_the_latest_date(app, phone):
    with app.app_context():
        minutes = (50, 40, 30, 20, 10)  # each dated before the one that came before
        deliver(phone.id, *[said(LEA, f"Mot {minute}", minute) for minute in minutes])
        newest = max(db.session.scalars(select(Message.created_at)))
        assert db.session.scalars(select(Conversation.last_at)).one() == newest


def test_a_crowd_that_writes_while_the_team_is_away_is_answered_in_few_statements(app, phone, monkeypatch):
    with app.app_context():
        preferences.save(preferences.Choices(away_text="Nous sommes fermés."))
        monkeypatch.setattr(opening_hours, "closed_since", lambda *_: now() - timedelta(hours=1))
        people = [f"+3363998{n:04d}" for n in range(300)]
        asked = []

        def count(*_):
            asked.append(1)

        monkeypatch.setattr(journal, "_stride", stride.Stride(100, most=300, seconds=60))  # however slow the machine is
        event.listen(db.engine, "before_cursor_execute", count)
        deliver(phone.id, [said(person, f"Bonjour {n}") for n, person in enumerate(people)])
        event.remove(db.engine, "before_cursor_execute", count)
        assert len(asked) < 600  # two for each of three hundred would be more than they take together
        answers = select(Message.number).where(Message.dedup_key.startswith(AWAY_ANSWER))
        assert list(db.session.scalars(answers.order_by(Message.id))) == people[: incoming.MOST_AN_HOUR]
