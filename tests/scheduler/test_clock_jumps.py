"""A clock that is set back keeps nothing waiting."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Account, Message, Notice, NoticeKind, Phone, Submission
from raspisms.scheduler import clock_jumps
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import lease, outbox, recall
from raspisms.storage.transactions import transaction
from tests.factories import LEA, post, ring, sweep


def push_away(app, phone, wait):
    """As if everything had been told to wait before the clock was set back by so much."""
    with app.app_context(), transaction() as session:
        account = session.get(Account, phone.account_id)
        account.not_before = now() + wait
        account.holder, account.held_until = "another machine#1#1", now() + wait
        session.get(Phone, phone.id).check_at = now() + wait
        session.get(Phone, phone.id).paced_until = now() + wait
        for submission in session.scalars(select(Submission)):
            submission.next_attempt_at = now() + wait


def waits(app):
    with app.app_context():
        account, phone = db.session.scalar(select(Account)), db.session.scalar(select(Phone))
        submission = db.session.scalar(select(Submission))
        found = (account.not_before, phone.check_at, phone.paced_until, submission.next_attempt_at)
        return [moment - now() for moment in found], account.held_until - now()


@pytest.fixture
def waiting(app, phone, octopush, run_jobs):
    octopush.faults.append("429")
    post(app, phone)
    run_jobs()


def test_what_was_pushed_away_comes_back(app, phone, waiting):
    push_away(app, phone, timedelta(hours=9))
    with app.app_context():
        scheduler.tidy()
        clock_jumps.release(timedelta(0))
    moments, held = waits(app)
    assert max(moments) <= timedelta(0)
    assert held <= lease.LEASE


def test_an_ordinary_wait_is_left_alone(app, phone, waiting):
    push_away(app, phone, timedelta(minutes=40))
    with app.app_context():
        clock_jumps.release()
    moments, _ = waits(app)
    assert min(moments) > timedelta(minutes=39)


def test_a_clock_that_goes_back_is_noticed_and_one_that_goes_on_is_not(monkeypatch):
    real = clock_jumps.time.time
    watch = clock_jumps.Watch()
    assert not watch.went_back()
    monkeypatch.setattr(clock_jumps.time, "time", lambda: real() + 3600)
    assert not watch.went_back()
    monkeypatch.setattr(clock_jumps.time, "time", real)
    assert watch.went_back()
    assert not watch.went_back()


def test_after_the_release_the_message_leaves(app, phone, octopush, waiting, run_jobs):
    push_away(app, phone, timedelta(hours=9))
    with app.app_context():
        clock_jumps.release(timedelta(0))
        with transaction() as session:
            session.get(Account, phone.account_id).holder = None
    ring(app)
    run_jobs()
    assert len(octopush.messages) == 1


def test_two_jumps_between_two_looks_are_noticed_by_what_they_left(app, phone, octopush, waiting, run_jobs):
    """Forward and back again: the clock seems right, but what began in between seems not to have begun."""
    with app.app_context(), transaction() as session:
        submission = session.scalar(select(Submission))
        submission.created_at = submission.next_attempt_at = now() + timedelta(minutes=50)
        submission.first_attempt_at = now() + timedelta(minutes=50)
        session.get(Account, phone.account_id).not_before = now() + timedelta(minutes=50)
    sweep(app)
    run_jobs()
    assert len(octopush.messages) == 1
    with app.app_context():
        assert db.session.scalar(select(Submission)).first_attempt_at <= now()
        assert not clock_jumps.is_behind()


def test_what_waits_for_opening_hours_is_left_alone(app, phone, waiting):
    with app.app_context():
        with transaction() as session:
            session.scalar(select(Submission)).next_attempt_at = now() + timedelta(hours=12)
        clock_jumps.release()
        assert db.session.scalar(select(Submission)).next_attempt_at > now() + timedelta(hours=11)


def test_a_clock_that_was_set_back_holds_nothing_for_hours(here):
    [held] = outbox.post(here, [LEA], "Bonjour", user_id=1, hold_seconds=5).messages
    with transaction() as session:
        session.execute(update(Message).values(held_until=now() + timedelta(hours=3)))
        session.add(Notice(user_id=1, kind=NoticeKind.RECEIVED, message_id=held.id, due_at=now() + timedelta(hours=3)))
    clock_jumps.release()
    assert recall.release_due() == recall.NEVER  # it is in the queue
    assert db.session.scalar(select(Notice.due_at)) <= now() + timedelta(hours=1)
