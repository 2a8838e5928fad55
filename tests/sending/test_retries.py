"""Sending again: rare orders of events in which a message could be doubled, lost or misjudged."""

import pytest
from sqlalchemy import update

from raspisms.extensions import db
from raspisms.models import Account, OptOut, Status, Submission
from raspisms.sending import claim, lease
from raspisms.storage.transactions import transaction
from tests.factories import BOB, LEA, message, post, ring
from tests.sending.steps import accepted, change, hold, living_holder, request_ids, retry, tidy


def test_a_request_is_never_repeated_to_another_account(app, phone, octopush, run_jobs):
    octopush.faults.append("cut_after")
    [perhaps] = post(app, phone)
    run_jobs()
    octopush.faults.append("429")
    [surely_not] = post(app, phone, BOB)
    with app.app_context(), transaction() as session:
        session.execute(update(Account).values(not_before=None))
    ring(app)
    run_jobs()
    change(app, phone, login="other@example.org")
    retry(app, run_jobs)
    tidy(app)
    retry(app, run_jobs)

    assert message(app, perhaps).status is Status.UNKNOWN
    assert message(app, surely_not).status is Status.SENT
    assert len(accepted(octopush, LEA)) == 1
    assert len(accepted(octopush, BOB)) == 1


@pytest.mark.parametrize(
    ("refusal", "status"), [("code_103", Status.SENT), ("code_106", Status.UNKNOWN), ("code_181", Status.SENT)]
)
def test_a_refusal_after_a_doubt_is_a_doubt_unless_fewer_can_be_asked_about(
    app, phone, octopush, run_jobs, refusal, status
):
    octopush.faults.extend(["cut_after", refusal])
    ids = post(app, phone, LEA, BOB)
    run_jobs()
    retry(app, run_jobs)
    retry(app, run_jobs)
    assert {message(app, sent).status for sent in ids} == {status}
    assert len(set(request_ids(octopush))) == 1
    assert len(accepted(octopush, LEA)) == len(accepted(octopush, BOB)) == 1


def test_losing_the_lease_is_noticed_at_every_request(app, phone, octopush):
    post(app, phone, LEA, text="A")
    post(app, phone, LEA, text="B")
    with app.app_context():
        lease.take(phone.account_id)
        first = claim.next_claim(phone.account_id)
        kept = db.session.get(Submission, first.submission_id).phone.account
    hold(app, phone, living_holder(), 60)
    with app.app_context(), pytest.raises(lease.LeaseLost):
        claim.next_claim(phone.account_id)
    assert kept.id == phone.account_id


def test_a_stop_during_the_wait_for_a_retry_is_respected(app, phone, octopush, run_jobs):
    octopush.faults.append("429")
    stopped, other = post(app, phone, LEA, BOB)
    run_jobs()
    with app.app_context(), transaction() as session:
        session.add(OptOut(number=LEA, origin="reply"))
    retry(app, run_jobs)
    assert message(app, stopped).status is Status.CANCELLED
    assert message(app, other).status is Status.SENT
    assert accepted(octopush, LEA) == []


def test_a_retry_for_nobody_is_no_request(app, phone, octopush, run_jobs):
    octopush.faults.append("429")
    [stopped] = post(app, phone, LEA)
    run_jobs()
    with app.app_context(), transaction() as session:
        session.add(OptOut(number=LEA, origin="reply"))
    retry(app, run_jobs)
    assert message(app, stopped).status is Status.CANCELLED
    assert len(octopush.requests) == 1
