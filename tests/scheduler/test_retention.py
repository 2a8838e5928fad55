"""What nobody needs any more goes at night; what was counted of it stays."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from raspisms import clock
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.figures import days as statistics
from raspisms.messages.history import add
from raspisms.models import (
    Campaign,
    CampaignState,
    Heartbeat,
    JournalEntry,
    JournalState,
    Message,
    MessageEvent,
    ParkedReport,
    Recipient,
    Status,
    Submission,
)
from raspisms.scheduler import retention
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from tests import factories
from tests.desk import (
    sent,
    written,
)
from tests.factories import BOB, LEA


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def entry(phone, state, days):
    return JournalEntry(
        phone_id=phone.id, kind="status", body=b"{}", state=state, received_at=now() - timedelta(days=days)
    )


def test_raw_callbacks_go_once_they_were_applied(at_once, phone):
    kept = (JournalState.NEW, JournalState.FAILED)
    with transaction() as session:
        session.add_all([entry(phone, state, days) for state in JournalState for days in (89, 91)])
        parked = entry(phone, JournalState.APPLIED, 91)
        session.add(parked)
        session.flush()
        session.add(
            ParkedReport(
                journal_id=parked.id,
                account_id=phone.account_id,
                provider_id="t",
                number=LEA,
                outcome="delivered",
                words="DELIVERED",
                at=now(),
            )
        )
    retention.work()
    left = db.session.execute(select(JournalEntry.state, JournalEntry.received_at, JournalEntry.id)).all()
    old = {row.state for row in left if row.received_at < now() - timedelta(days=90) and row.id != parked.id}
    assert old == set(kept)
    assert len(left) == len(JournalState) + len(kept) + 1
    assert db.session.get(JournalEntry, parked.id) is not None, "its report still waits"


def test_the_times_are_the_teams_choice(at_once, phone):
    preferences.save(preferences.Choices(keep_callbacks=15))
    with transaction() as session:
        session.add_all([entry(phone, JournalState.APPLIED, days) for days in (14, 16)])
    retention.work()
    assert count(JournalEntry) == 1


@pytest.mark.parametrize("days", ["", "x", "14", "3651", "9" * 5_000, "²"])
def test_a_time_that_cannot_be_is_refused(days):
    choices = ("", "10", "FR", "", "5", (), "09:00", "18:00", "")
    with pytest.raises(preferences.Invalid) as refusal:
        preferences.read(*choices, keep_callbacks=days, keep_details=days)
    assert set(refusal.value.errors) == {"keep_callbacks", "keep_details"}


def test_the_review_of_a_campaign_goes_a_year_after_its_end(at_once):
    over, young = sent(written(LEA)), sent(written(BOB))
    with transaction() as session:
        session.execute(update(Campaign).values(state=CampaignState.DONE, finished_at=now()))
        session.get_one(Campaign, over.id).finished_at = now() - timedelta(days=366)
    retention.work()
    assert db.session.scalars(select(Recipient.campaign_id)).all() == [young.id]
    assert count(Message) == 2


def test_requests_go_and_what_they_cost_stays(at_once, app, phone, client):
    [old, young] = [factories.billed(phone, Decimal("0.07"), days_ago=days) for days in (400, 10)]
    # Of the moment, not of today: the clocks have changed since, and late in the evening that is another day.
    day = (clock.now() - timedelta(days=400)).astimezone(clock.zone()).date()
    retention.work()
    assert count(Submission) == 1
    message = db.session.get(Message, old)
    assert (message.submission_id, message.cost, message.status) == (None, Decimal("0.07"), Status.DELIVERED)
    assert db.session.get(Message, young).submission_id is not None
    assert statistics.by_day(day, day, None).cost == Decimal("0.07")
    statistics.count(day)
    found = statistics.by_day(day, day, None)
    assert (found.cost, found.totals) == (Decimal("0.07"), {Status.DELIVERED: 1}), "also when it is counted again"
    assert client.get(f"/messages/{old}").status_code == 200


def test_of_an_old_history_the_end_stays(at_once, phone):
    ids = [factories.billed(phone, Decimal("0.07"), days_ago=days) for days in (400, 10)]
    with transaction() as session:
        for message in session.scalars(select(Message).where(Message.id.in_(ids)).order_by(Message.id)):
            for status in (Status.QUEUED, Status.SENT):
                add(session, [message], status)
            add(session, [message], Status.FAILED, reason="Parce que.")
    retention.work()
    rows = db.session.execute(select(MessageEvent.message_id, MessageEvent.reason).order_by(MessageEvent.id)).all()
    assert [row.reason for row in rows] == ["Parce que.", None, None, "Parce que."]


def test_it_is_done_at_night_and_once(at_once, monkeypatch):
    done = []

    def at(hour, day=20):
        moment = datetime(2026, 11, day, hour, 30, tzinfo=UTC) - timedelta(hours=1)  # Paris
        monkeypatch.setattr(retention, "now", lambda: moment)
        before = db.session.get(Heartbeat, retention.DONE, populate_existing=True)
        retention.work()
        after = db.session.get(Heartbeat, retention.DONE, populate_existing=True)
        done.append(after is not None and (before is None or after.at == moment))

    for hour, day in ((14, 20), (15, 20), (3, 21), (4, 21), (14, 21), (3, 22)):
        at(hour, day)
    assert done == [True, False, True, False, False, True], "the first time, then each night"
