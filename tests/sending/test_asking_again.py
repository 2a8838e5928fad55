"""A request that was perhaps sent is repeated only while everybody still wants it to leave."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from raspisms.adapters.base import RefusedError
from raspisms.campaigns import lifecycle
from raspisms.delivery_reports import giving_up
from raspisms.extensions import db
from raspisms.messages import hours
from raspisms.models import Contact, Hours, Message, OptOut, Phone, PhoneStatus, Status, Submission
from raspisms.models.message import STOP_ANSWER
from raspisms.people import opt_outs
from raspisms.sending import asking_again, outbox, outcome, unknown_outcomes
from raspisms.sms.purposes import Purpose
from raspisms.storage.transactions import transaction
from tests.desk import (
    sent,
    written,
)
from tests.factories import BOB, LEA, let_time_pass, message, post, ring
from tests.sending.steps import accepted, request_ids

PEOPLE = [f"+3363998{n:04}" for n in range(1000, 1004)]


@pytest.fixture
def again(app, run_jobs):
    """Let the time of the repetition come."""

    def again():
        let_time_pass(app)
        ring(app)
        run_jobs()

    return again


def stop(app, number):
    with app.app_context(), transaction() as session:
        opt_outs.add(session, number, "reply")


def reason(app, message_id):
    return message(app, message_id).events[-1].reason


def test_a_stop_ends_the_asking(app, phone, octopush, run_jobs, again):
    octopush.faults.append("cut_before")
    [doubtful] = post(app, phone)
    run_jobs()
    stop(app, LEA)
    again()
    assert (message(app, doubtful).status, reason(app, doubtful)) == (Status.UNKNOWN, asking_again.STOPPED)
    assert accepted(octopush, LEA) == []
    assert len(octopush.requests) == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [("cut_before", Status.CANCELLED), ("cut_after", Status.SENT)],
    ids=["it never left", "it had left"],
)
def test_the_others_of_a_chunk_are_asked_about_and_tell_of_who_said_stop(
    app, phone, octopush, run_jobs, again, fault, status
):
    octopush.switches.reports = False
    octopush.faults.append(fault)
    lea, bob = post(app, phone, LEA, BOB)
    run_jobs()
    stop(app, LEA)
    again()
    assert message(app, bob).status is Status.SENT
    assert message(app, lea).status is status
    assert len(accepted(octopush, BOB)) == 1
    assert len(accepted(octopush, LEA)) == (status is Status.SENT)
    assert len(set(request_ids(octopush))) == 1


def test_while_the_answer_is_still_missing_who_said_stop_is_unknown(app, phone, octopush, run_jobs, again):
    octopush.faults.extend(["cut_before", "cut_before"])
    lea, bob = post(app, phone, LEA, BOB)
    run_jobs()
    stop(app, LEA)
    again()
    assert (message(app, lea).status, message(app, bob).status) == (Status.UNKNOWN, Status.SENDING)
    again()
    assert (message(app, lea).status, message(app, bob).status) == (Status.CANCELLED, Status.SENT)


def test_the_answer_to_a_stop_is_asked_about_all_the_same(app, phone, octopush, run_jobs, again):
    octopush.faults.append("cut_before")
    with app.app_context():
        kept = outbox.post(db.session.get(Phone, phone.id), [LEA], "C’est noté.").messages[0].id
        with transaction() as session:
            session.get_one(Message, kept).dedup_key = STOP_ANSWER + "x"
    run_jobs()
    stop(app, LEA)
    again()
    assert message(app, kept).status is Status.SENT


def in_doubt(octopush, run_jobs, app, **more):
    octopush.faults.append("cut_before")
    campaign = sent(written(*PEOPLE, text="info", **more))
    ring(app)
    run_jobs()
    assert octopush.messages == []
    return campaign


def statuses(campaign):
    db.session.rollback()
    return {status: number for status, number in lifecycle.counts(campaign.id).items() if number}


def test_a_cancelled_campaign_is_not_asked_about(at_once, app, octopush, run_jobs, again):
    campaign = in_doubt(octopush, run_jobs, app)
    lifecycle.cancel(campaign.id)
    again()
    assert octopush.messages == []
    assert statuses(campaign) == {Status.UNKNOWN: len(PEOPLE)}
    assert reason(app, db.session.query(Message.id).first()[0]) == giving_up.CANCELLED


def test_a_paused_campaign_is_asked_about_when_it_goes_on(at_once, app, octopush, run_jobs, again):
    campaign = in_doubt(octopush, run_jobs, app)
    lifecycle.pause(campaign.id)
    again()
    assert octopush.messages == []
    assert statuses(campaign) == {Status.SENDING: len(PEOPLE)}
    lifecycle.resume(campaign.id)
    ring(app)
    run_jobs()
    assert len(octopush.messages) == len(PEOPLE)


@pytest.mark.parametrize(
    ("opens_in", "status"), [(10, Status.SENDING), (30, Status.UNKNOWN)], ids=["tonight", "on Sunday"]
)
def test_closed_hours_are_waited_for_as_long_as_the_provider_remembers(
    at_once,
    app,
    octopush,
    run_jobs,
    again,
    monkeypatch,
    opens_in,
    status,
):
    monkeypatch.setattr(hours, "opening", lambda *_: None)
    campaign = in_doubt(octopush, run_jobs, app, hours=Hours.STRICT)

    def closed(profile, moment, region=None):
        return None if profile is Hours.FREE else moment + timedelta(hours=opens_in)

    monkeypatch.setattr(hours, "opening", closed)
    again()
    assert octopush.messages == []
    assert statuses(campaign) == {status: len(PEOPLE)}
    monkeypatch.setattr(hours, "opening", lambda *_: None)
    again()
    assert len(octopush.messages) == (len(PEOPLE) if status is Status.SENDING else 0)


def test_advertising_by_hand_is_not_asked_about_at_night_either(app, phone, octopush, run_jobs, again, monkeypatch):
    octopush.faults.append("cut_before")
    with app.app_context():
        with transaction() as session:
            session.add(Contact(name="Léa", number=LEA, sort_key="lea", search="lea", consent="Formulaire"))
        monkeypatch.setattr(hours, "opening", lambda *_: None)
        found = db.session.get(Phone, phone.id)
        kept = outbox.post(found, [LEA], "Soldes STOP au 36180", purpose=Purpose.ADVERTISING).messages[0].id
    run_jobs()
    monkeypatch.setattr(
        hours, "opening", lambda profile, moment, *_: None if profile is Hours.FREE else moment + timedelta(hours=10)
    )
    again()
    assert octopush.messages == []
    assert message(app, kept).status is Status.SENDING
    monkeypatch.setattr(hours, "opening", lambda *_: None)
    again()
    assert message(app, kept).status in (Status.SENT, Status.DELIVERED)


def test_a_passed_limit_says_so(app, phone, octopush, run_jobs, again):
    from raspisms.clock import now
    from raspisms.sending import overdue

    octopush.faults.append("cut_before")
    [late] = post(app, phone, expires_at=now() + timedelta(hours=1))
    run_jobs()
    let_time_pass(app, hours=2)
    again()
    assert (message(app, late).status, reason(app, late)) == (Status.UNKNOWN, overdue.LIMIT_PASSED)


def test_who_said_stop_in_secret_is_left_out_too(app, phone, octopush, run_jobs, again):
    octopush.faults.append("cut_before")
    lea, bob = post(app, phone, LEA, BOB)
    run_jobs()
    with app.app_context(), transaction() as session:
        session.add(OptOut(digest=opt_outs.digest(LEA), origin="reply"))
    again()
    assert (message(app, lea).status, message(app, bob).status) == (Status.CANCELLED, Status.SENT)


def test_taken_before_says_nothing_of_those_that_an_attempt_in_doubt_left_out(app, phone, octopush, run_jobs, again):
    """The first attempt never arrived, the half of it did, and its answer was lost."""
    octopush.switches.reports = False
    octopush.faults.extend(["cut_before", "code_103", "cut_after"])
    ids = post(app, phone, *PEOPLE)
    run_jobs()
    for _ in range(4):
        again()
    assert [message(app, one).status for one in ids] == [Status.SENT] * 2 + [Status.UNKNOWN] * 2
    assert len(octopush.messages) == 2
    with app.app_context():
        assert unknown_outcomes.count() == 2
        for one in ids[2:]:
            unknown_outcomes.send_again(one, None)
    run_jobs()
    assert sorted(one.number for one in octopush.messages) == PEOPLE


def test_nor_of_who_said_stop_before_that_attempt(app, phone, octopush, run_jobs, again):
    octopush.switches.reports = False
    octopush.faults.extend(["cut_before", "cut_after"])
    lea, bob = post(app, phone, LEA, BOB)
    run_jobs()
    stop(app, LEA)
    again()
    again()
    assert (message(app, lea).status, message(app, bob).status) == (Status.UNKNOWN, Status.SENT)
    assert accepted(octopush, LEA) == []


def test_a_dead_worker_leaves_the_same_doubt(app, phone, octopush, run_jobs, again):
    octopush.switches.reports = False
    octopush.faults.extend(["cut_before", "code_103", "cut_after"])
    ids = post(app, phone, *PEOPLE)
    run_jobs()
    again()
    again()
    with app.app_context(), transaction() as session:  # it died before it kept that the answer was missing
        submission = session.get_one(Message, ids[0]).submission
        submission.in_flight, submission.leaves_doubt = True, False
    ring(app)
    run_jobs()
    again()
    again()
    assert [message(app, one).status for one in ids] == [Status.SENT] * 2 + [Status.UNKNOWN] * 2


def test_where_nobody_is_left_of_the_part_the_others_are_asked_about(app, phone, octopush, run_jobs, again):
    octopush.faults.extend(["cut_before", "code_103", "429"])
    lea, bob = post(app, phone, LEA, BOB)
    run_jobs()
    again()
    stop(app, LEA)
    again()
    again()
    again()
    assert (message(app, lea).status, message(app, bob).status) == (Status.CANCELLED, Status.SENT)
    assert all(request["body"]["recipients"] for request in octopush.requests)
    assert len(set(request_ids(octopush))) == 1


def test_a_cancelled_campaign_is_in_doubt_at_once_even_with_a_phone_that_pauses(
    at_once, app, phone, octopush, run_jobs
):
    campaign = in_doubt(octopush, run_jobs, app)
    with transaction() as session:
        session.get_one(Phone, phone.id).status = PhoneStatus.DISABLED
    lifecycle.cancel(campaign.id)
    assert statuses(campaign) == {Status.UNKNOWN: len(PEOPLE)}


def test_a_cancelled_campaign_is_not_opened_again_while_a_request_is_in_the_air(
    at_once, app, octopush, run_jobs, again
):
    campaign = in_doubt(octopush, run_jobs, app)
    with transaction() as session:
        [submission] = session.scalars(select(Submission))
        submission.in_flight = True
        first = session.scalar(select(Message).order_by(Message.id))
        first.status, first.submission_id = Status.FAILED, None
    lifecycle.cancel(campaign.id)
    with pytest.raises(lifecycle.Refused):
        lifecycle.retry_failed(campaign.id)
    again()
    again()
    assert octopush.messages == []


def test_a_refusal_of_a_part_of_which_more_is_known_by_now(app, phone, octopush, run_jobs, again):
    """While the first half was in the air, a report told that it had arrived."""
    octopush.faults.extend(["cut_before", "code_103", "429"])
    lea, bob, _ = post(app, phone, LEA, BOB, PEOPLE[0])
    run_jobs()
    again()
    with app.app_context():
        submission_id = db.session.get_one(Message, lea).submission_id
        with transaction() as session:
            session.get_one(Message, lea).status = Status.DELIVERED
        outcome.record(submission_id, RefusedError("mauvais numéro", one_number=True, code="103"))
        assert db.session.get_one(Submission, submission_id).asked_up_to is None
    again()
    assert message(app, bob).status is Status.SENT
