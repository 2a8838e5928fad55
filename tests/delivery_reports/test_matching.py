"""Whose report it is, in rare orders of events."""

from __future__ import annotations

from raspisms.models import Status
from raspisms.sending import claim, lease
from raspisms.storage.transactions import transaction
from tests.factories import LEA, message, post
from tests.sending.steps import accepted, change, retry, tidy


def test_reports_find_their_message_after_the_login_was_changed(app, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    change(app, phone, login="other@example.org")
    ticket = message(app, sent).submission.provider_id
    callbacks.http.post(callbacks.status, json={"message_id": ticket, "number": LEA, "status": "DELIVERED"})
    run_jobs()
    assert message(app, sent).status is Status.DELIVERED


def test_a_lost_ticket_is_not_taken_from_a_request_in_the_air(app, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    octopush.faults.append("cut_after")
    [lost] = post(app, phone, LEA, text="A")
    run_jobs()
    retry(app, run_jobs)  # 182: accepted, ticket unknown
    ticket_a = accepted(octopush, LEA)[0].ticket

    [flying] = post(app, phone, LEA, text="B")
    with app.app_context():
        lease.take(phone.account_id)
        claimed = claim.next_claim(phone.account_id)
        lease.release(phone.account_id)
    report = {"number": LEA, "status": "NOT_DELIVERED"}
    callbacks.http.post(callbacks.status, json=report | {"message_id": "sms_b"})
    run_jobs("receiving")
    assert message(app, lost).status is Status.SENT

    with app.app_context(), transaction() as session:  # B's answer arrives
        from raspisms.adapters.base import Accepted
        from raspisms.sending import outcome

        outcome.record(claimed.submission_id, Accepted(provider_id="sms_b"))
        session.flush()
    assert message(app, flying).status is Status.FAILED
    callbacks.http.post(callbacks.status, json={"number": LEA, "status": "DELIVERED", "message_id": ticket_a})
    run_jobs("receiving")
    assert message(app, lost).status is Status.DELIVERED


def test_a_report_parked_while_something_was_in_the_air_is_matched_later(app, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    octopush.faults.append("cut_after")
    [lost] = post(app, phone, LEA, text="A")
    run_jobs()
    retry(app, run_jobs)
    ticket = accepted(octopush, LEA)[0].ticket
    octopush.faults.append("cut_before")  # perhaps sent: the ticket may be its own
    post(app, phone, LEA, text="B")
    run_jobs()
    callbacks.http.post(callbacks.status, json={"number": LEA, "status": "DELIVERED", "message_id": ticket})
    run_jobs("receiving")
    assert message(app, lost).status is Status.SENT
    retry(app, run_jobs)
    tidy(app)
    assert message(app, lost).status is Status.DELIVERED
