"""While the team is away: one answer per person and absence, never to a machine."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from raspisms.adapters.base import Reply
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Direction, JournalEntry, Message, Phone
from raspisms.people import opt_outs
from raspisms.receiving import incoming, replies
from raspisms.storage.transactions import transaction
from raspisms.team import opening_hours, preferences
from tests.factories import BOB, LEA

AWAY = "Nous revenons lundi à 9 h."
HOURS = preferences.Choices(open_days=(0, 1, 2, 3, 4), opens="09:00", closes="18:00", away_text=AWAY)


@pytest.fixture
def closed(app, phone, monkeypatch):
    """The team went away an hour ago."""
    with app.app_context():
        preferences.save(HOURS)
        since = now() - timedelta(hours=1)
        monkeypatch.setattr(opening_hours, "closed_since", lambda *_: since)
        yield db.session.get(Phone, phone.id)
        db.session.rollback()


def hears(phone, text="Bonjour", number=LEA, at=None):
    with transaction() as session:
        entry = JournalEntry(phone=phone, phone_id=phone.id, kind="reception", body=b"", received_at=now())
        session.add(entry)
        session.flush()
        replies.apply(session, entry, Reply(number, text, "", "", at or now()))


def answers():
    return list(
        db.session.scalars(select(Message.number).where(Message.direction == Direction.OUT).order_by(Message.id))
    )


def test_each_person_is_answered_once_per_absence(closed, monkeypatch):
    hears(closed)
    hears(closed, "Il y a quelqu'un ?")
    hears(closed, number=BOB)
    assert answers() == [LEA, BOB]
    monkeypatch.setattr(opening_hours, "closed_since", lambda *_: now() - timedelta(minutes=1))
    hears(closed, "Re-bonjour")
    assert answers() == [LEA, BOB]  # of answers that nobody writes, one a day
    with transaction() as session:
        session.execute(update(Message).values(created_at=now() - timedelta(hours=25)))
    hears(closed, "Re-bonjour")
    assert answers() == [LEA, BOB, LEA]


@pytest.mark.parametrize(
    ("text", "number"),
    [("STOP", LEA), ("stop s'il vous plaît", LEA), (AWAY, LEA), ("Promo !", "36180"), ("Votre code", "BANQUE")],
)
def test_machines_and_stops_are_not_answered(closed, text, number):
    hears(closed, text, number)
    assert answers() == []


def test_what_comes_late_is_not_answered(closed):
    hears(closed, at=now() - timedelta(hours=3))
    assert answers() == []


def test_somebody_who_said_stop_hears_nothing(closed):
    with transaction() as session:
        opt_outs.add(session, LEA, "person")
    hears(closed)
    assert answers() == []


def test_two_machines_do_not_go_on_for_ever(closed, monkeypatch):
    monkeypatch.setattr(incoming, "MOST_AN_HOUR", 3)
    for number in range(6):
        hears(closed, number=f"+3363998{number:04d}")
    assert len(answers()) == 3


def test_nothing_is_answered_while_the_team_is_there_or_wants_no_answer(closed, monkeypatch):
    monkeypatch.setattr(opening_hours, "closed_since", lambda *_: None)
    hears(closed)
    monkeypatch.setattr(opening_hours, "closed_since", lambda *_: now())
    preferences.save(preferences.Choices())
    hears(closed, number=BOB)
    assert answers() == []


def paris(year, month, day, hour, minute=0):
    from zoneinfo import ZoneInfo

    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo("Europe/Paris")).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "since"),
    [
        (paris(2026, 11, 23, 9), None),  # Monday, opening
        (paris(2026, 11, 23, 17, 59), None),
        (paris(2026, 11, 23, 18), paris(2026, 11, 23, 18)),
        (paris(2026, 11, 24, 8, 59), paris(2026, 11, 23, 18)),
        (paris(2026, 11, 29, 12), paris(2026, 11, 27, 18)),  # Sunday, since Friday
        (paris(2026, 12, 25, 12), paris(2026, 12, 24, 18)),  # Christmas
        (paris(2026, 3, 29, 12), paris(2026, 3, 27, 18)),  # the night that has an hour less
        (paris(2026, 10, 26, 8), paris(2026, 10, 23, 18)),  # the one that has an hour more
    ],
)
def test_the_hours_are_those_of_the_wall_clock(app, moment, since):
    with app.app_context():
        assert opening_hours.closed_since(HOURS, moment) == since
        assert opening_hours.is_open(HOURS, moment) is (since is None)


def test_a_team_without_hours_is_always_there(app):
    with app.app_context():
        assert opening_hours.is_open(preferences.Choices(), now())


@pytest.mark.parametrize(("hours", "answered"), [(1, True), (2, True), (4, False)])
def test_a_provider_that_dates_in_another_zone_stops_no_answer(closed, hours, answered):
    """UTC instead of Paris, in winter and in summer; what is older than that was late."""
    hears(closed, at=now() - timedelta(hours=hours))
    assert bool(answers()) is answered


def test_an_away_answer_does_not_leave_in_the_morning(here, monkeypatch):
    from raspisms.team import opening_hours

    preferences.save(preferences.Choices(open_days=(0,), away_text="Fermé"))
    monkeypatch.setattr(opening_hours, "closed_since", lambda *_: now())
    hears(here)
    [answer] = db.session.query(Message).filter_by(direction="out")
    assert now() < answer.expires_at <= now() + timedelta(hours=1)
