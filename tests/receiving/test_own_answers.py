"""Answers that nobody wrote: few, and never where we do not write to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import JournalEntry, Message
from raspisms.receiving import incoming, replies
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from tests.factories import LEA


@pytest.fixture(autouse=True)
def wanted(app):
    """The team wants a STOP to be answered."""
    with app.app_context():
        preferences.save(preferences.Choices(stop_answer="Bien reçu."))
        db.session.rollback()


def says_stop(phone, number, minute=0):
    with transaction() as session:
        entry = JournalEntry(phone_id=phone.id, kind="reception", body=b"x", received_at=now())
        session.add(entry)
        session.flush()
        session.refresh(entry)
        reply = replies.Reply(number, "STOP", "", "", now() - timedelta(minutes=minute))
        assert replies.apply(session, entry, reply) == "opt-out"


def answers():
    db.session.rollback()
    return db.session.query(Message).filter(Message.dedup_key.startswith("stop-answer:")).count()


@pytest.mark.parametrize("number", ["+12025550123", "+33899123456", "36105", "PROMO"])
def test_a_forged_stop_from_where_we_never_write_costs_nothing(app, phone, number):
    with app.app_context():
        says_stop(phone, number)
        assert answers() == 0


def test_a_stop_is_answered_once_a_day_and_not_without_an_end(app, phone, get, monkeypatch):
    monkeypatch.setattr(incoming, "MOST_AN_HOUR", 5)
    with app.app_context():
        for n in range(9):
            says_stop(phone, f"+336399870{n:02d}")
        assert answers() == 5
    assert "5 réponses automatiques en une heure" in get("/").text


def test_one_person_hears_one_answer_a_day(app, phone):
    with app.app_context():
        says_stop(phone, LEA)
        with transaction() as session:
            message = session.query(Message).filter_by(number=LEA).first()
            incoming.answer_by_itself(session, [(message, "away:x")], "Fermé")
        assert answers() == 1
        assert db.session.query(Message).filter(Message.dedup_key == "away:x").count() == 0
