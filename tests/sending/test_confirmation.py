"""A chunk that was gathered ahead, and what may have changed before it takes off."""

import functools
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from raspisms.campaigns import lifecycle
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.messages import hours
from raspisms.models import Account, Campaign, Hours, Lane, OptOut, Phone, PhoneStatus, Submission
from raspisms.people import opt_outs
from raspisms.sending import claim, confirmation, eligible, lease
from raspisms.storage.transactions import transaction
from tests.factories import BOB, post
from tests.sending.steps import do, hold_back, numbers


def ready(app, phone, raw):
    """A chunk gathered while a request of the same campaign is in the air, and that request."""
    campaign_id = hold_back(app, phone, raw)
    do(app, lifecycle.resume, campaign_id)
    with app.app_context():
        assert lease.take(phone.account_id)
        flying = claim.next_claim(phone.account_id)
        return campaign_id, flying, claim.prepare(phone.account_id)


def confirm(app, phone, prepared):
    with app.app_context():
        return confirmation.confirm(phone.account_id, prepared)


def test_what_was_gathered_takes_off_once(app, phone, two_at_a_time):
    _, flying, prepared = ready(app, phone, numbers(4))
    assert prepared.batch.recipients == tuple(numbers(4)[2:])
    assert prepared.batch.request_id != flying.batch.request_id
    assert confirm(app, phone, prepared)
    assert not confirm(app, phone, prepared)
    with app.app_context():
        submission = db.session.get(Submission, prepared.submission_id)
        assert (submission.in_flight, submission.attempts) == (True, 1)
        assert submission.first_attempt_at is not None


def a_reply(app, phone, _campaign_id, _prepared):
    post(app, phone, BOB, text="Oui", lane=Lane.REPLY)


def a_pause(app, _phone, campaign_id, _prepared):
    do(app, lifecycle.pause, campaign_id)


def a_stop(app, _phone, _campaign_id, prepared):
    with app.app_context(), transaction() as session:
        session.add(OptOut(number=prepared.batch.recipients[0], origin="reply"))


def a_paused_phone(app, phone, _campaign_id, _prepared):
    with app.app_context(), transaction() as session:
        session.get(Phone, phone.id).status = PhoneStatus.NO_CREDIT


def a_wait_for_the_provider(app, phone, _campaign_id, _prepared):
    with app.app_context(), transaction() as session:
        session.get(Account, phone.account_id).not_before = now() + timedelta(minutes=1)


def a_lost_lease(app, phone, _campaign_id, _prepared):
    with app.app_context(), transaction() as session:
        session.get(Account, phone.account_id).holder = "another machine#1#1"


def the_end_of_its_use(app, _phone, _campaign_id, prepared):
    with app.app_context(), transaction() as session:
        session.get(Submission, prepared.submission_id).expires_at = now() - timedelta(seconds=1)


def a_retry_that_is_due(app, phone, _campaign_id, _prepared):
    with app.app_context(), transaction() as session:
        text = {"text": "Retenté", "purpose": "information", "lane": Lane.BULK}
        session.add(Submission(account_id=phone.account_id, phone_id=phone.id, attempts=1, **text))


@pytest.mark.parametrize(
    "what_happened",
    [
        a_reply,
        a_pause,
        a_stop,
        a_paused_phone,
        a_wait_for_the_provider,
        a_lost_lease,
        the_end_of_its_use,
        a_retry_that_is_due,
    ],
    ids=lambda found: found.__name__,
)
def test_what_was_gathered_stays_down_when_something_speaks_against_it(app, phone, two_at_a_time, what_happened):
    campaign_id, _, prepared = ready(app, phone, numbers(4))
    what_happened(app, phone, campaign_id, prepared)
    assert not confirm(app, phone, prepared)
    with app.app_context():
        assert not db.session.get(Submission, prepared.submission_id).in_flight


def test_hours_that_closed_meanwhile_keep_it(app, phone, two_at_a_time, monkeypatch):
    monkeypatch.setattr(hours, "opening", lambda *_: None)
    campaign_id, _, _ = waiting = ready(app, phone, numbers(4))
    with app.app_context(), transaction() as session:
        session.get(Campaign, campaign_id).hours = Hours.STRICT
    prepared = replace(waiting[2], hours=Hours.STRICT)
    monkeypatch.setattr(hours, "opening", lambda profile, moment, region=None: moment + timedelta(hours=10))
    assert not confirm(app, phone, prepared)


@pytest.mark.parametrize(("clock", "takes_off"), [("19:59:59", True), ("20:00:00", False), ("07:59:59", False)])
def test_hours_are_kept_to_the_second(app, phone, two_at_a_time, monkeypatch, clock, takes_off):
    _, _, prepared = ready(app, phone, numbers(4))
    wednesday = datetime.fromisoformat(f"2026-11-25T{clock}").replace(tzinfo=ZoneInfo("Europe/Paris"))
    monkeypatch.setattr(confirmation.hours, "opening", functools.partial(opening_at, hours.opening, wednesday))
    assert bool(confirm(app, phone, replace(prepared, hours=Hours.STRICT))) is takes_off


def opening_at(real, moment, profile, _now, region=None):
    return real(profile, moment, region)


def test_people_are_looked_at_again_when_the_chunk_waited(app, phone, two_at_a_time):
    _, _, prepared = ready(app, phone, numbers(4))
    waited = replace(prepared, at=prepared.at - eligible.FRESH_SECONDS - 1)
    assert not confirm(app, phone, waited)
    assert confirm(app, phone, prepared)


def test_another_number_of_the_phone_keeps_it(app, phone, two_at_a_time):
    _, _, prepared = ready(app, phone, numbers(4))
    with app.app_context(), transaction() as session:
        session.get(Phone, phone.id).sealed_settings = "of another number"
    assert not confirm(app, phone, prepared)


def test_a_stop_of_somebody_who_was_erased_keeps_it(app, phone, two_at_a_time):
    _, _, prepared = ready(app, phone, numbers(4))
    with app.app_context(), transaction() as session:
        session.add(OptOut(digest=opt_outs.digest(prepared.batch.recipients[0]), origin="reply"))
    assert not confirm(app, phone, prepared)


def test_what_was_not_confirmed_counts_as_no_departure(app, phone, two_at_a_time):
    _, _, prepared = ready(app, phone, numbers(4))
    post(app, phone, BOB, text="Oui", lane=Lane.REPLY)
    assert not confirm(app, phone, prepared)
    with app.app_context():
        assert db.session.get(Account, phone.account_id).departures == 1
