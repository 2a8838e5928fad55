"""A phone's pace: campaigns keep to it, people do not wait for it."""

from datetime import timedelta

import pytest

from raspisms.campaigns import lifecycle
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Phone
from raspisms.scheduler import sweep as scheduler
from raspisms.scheduler.steps import SWEEP_SECONDS
from raspisms.sending import pace
from raspisms.storage.transactions import transaction
from tests.factories import BOB, let_time_pass, post, ring, sweep
from tests.sending.steps import accept, do, hold_back, numbers, texts


def set_pace(app, phone, per_minute):
    with app.app_context(), transaction() as session:
        session.get(Phone, phone.id).pace = per_minute


def paced_until(app, phone):
    with app.app_context():
        return db.session.get(Phone, phone.id).paced_until


@pytest.mark.parametrize(("per_minute", "together"), [(1, 1), (6, 1), (60, 5), (600, 50), (60_000, 100), (None, 100)])
def test_a_chunk_holds_five_seconds_worth(app, phone, octopush, run_jobs, per_minute, together):
    set_pace(app, phone, per_minute)
    accept(app, phone, numbers(100))
    run_jobs()
    assert texts(octopush)[0][1] == together


def test_the_next_chunk_waits_for_its_time(app, phone, octopush, run_jobs):
    set_pace(app, phone, 60)
    accept(app, phone, numbers(12))
    begun = now()
    run_jobs()
    assert [count for _, count in texts(octopush)] == [5]
    assert timedelta(seconds=4) < paced_until(app, phone) - begun < timedelta(seconds=7)
    assert 0 < sweep(app) <= 5
    run_jobs()
    assert len(octopush.requests) == 1
    for expected in ([5, 5], [5, 5, 2]):
        let_time_pass(app)
        sweep(app)
        run_jobs()
        assert [count for _, count in texts(octopush)] == expected


def test_the_sweep_comes_back_when_the_next_chunk_is_due(app, phone, octopush, run_jobs):
    set_pace(app, phone, 60)
    accept(app, phone, numbers(3))
    with app.app_context(), transaction() as session:
        session.get(Phone, phone.id).paced_until = now() + timedelta(seconds=SWEEP_SECONDS - 0.5)
    run_jobs()
    assert octopush.requests == []
    assert sweep(app) < SWEEP_SECONDS


def test_what_a_person_writes_leaves_at_once_and_counts(app, phone, octopush, run_jobs):
    set_pace(app, phone, 60)
    accept(app, phone, numbers(12))
    run_jobs()
    before = paced_until(app, phone)
    post(app, phone, BOB, text="À la main")
    run_jobs()
    assert texts(octopush)[-1] == ("À la main", 1)
    assert paced_until(app, phone) == before + timedelta(seconds=1)


def test_a_phone_without_a_campaign_keeps_nobody_awake(app, phone, octopush, run_jobs):
    set_pace(app, phone, 60)
    campaign = hold_back(app, phone, numbers(2))
    with app.app_context(), transaction() as session:
        session.get(Phone, phone.id).paced_until = now() + timedelta(seconds=2)
    with app.app_context():
        assert pace.next_free(phone.account_id) is None
    do(app, lifecycle.resume, campaign)
    with app.app_context():
        assert pace.next_free(phone.account_id) is not None


def test_without_a_pace_nothing_is_counted(app, phone, octopush, run_jobs):
    accept(app, phone, numbers(3))
    ring(app)
    run_jobs()
    assert paced_until(app, phone) is None


def test_a_lawful_wait_of_hours_is_not_taken_for_a_wrong_clock(app, phone, octopush, run_jobs):
    set_pace(app, phone, 5)
    with app.app_context(), transaction() as session:
        session.get(Phone, phone.id).paced_until = ahead = now() + timedelta(hours=2)
    with app.app_context():
        scheduler.tidy()
    assert paced_until(app, phone) == ahead
