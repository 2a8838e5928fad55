"""Every outcome of docs/providers/octopush.md §4.4, through real HTTP to the pretended Octopush."""

import socket
from datetime import timedelta
from decimal import Decimal

import pytest
import requests
from sqlalchemy import select, update

from raspisms.adapters.octopush import adapter as octopush_adapter
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Account, OptOut, Phone, PhoneStatus, Status, Submission, SubmissionState
from raspisms.storage.transactions import transaction
from tests import factories
from tests.factories import (
    BOB,
    LEA,
    LOGIN,
    NUMBER,
    fresh_phone,
    let_time_pass,
    message,
    post,
    ring,
    settings,
    sweep,
    until,
)
from tests.sending.steps import accepted, request_ids


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(octopush_adapter, "SEND_READ_SECONDS", 0.3)


def submissions(app):
    with app.app_context():
        return list(db.session.scalars(select(Submission).order_by(Submission.id)))


def test_the_request_is_the_one_that_octopush_asks_for(app, phone, octopush, run_jobs):
    post(app, phone, LEA, text="Rendez-vous à 18 h")
    run_jobs()

    [request] = octopush.requests
    request_id = request["body"].pop("request_id")
    assert request["body"] == {
        "text": "Rendez-vous à 18 h",
        "recipients": [{"phone_number": LEA}],
        "type": "sms_premium",
        "purpose": "alert",
        "sender": NUMBER,
        "with_replies": True,
        "auto_optimize_text": False,
    }
    assert request_id == submissions(app)[0].request_id
    assert octopush.warnings == []


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_2xx_with_a_ticket_is_sent_and_its_figures_are_kept(app, phone, octopush, run_jobs, status):
    octopush.switches.send_status = status
    [sent] = post(app, phone, LEA, text="a" * 161)
    run_jobs()

    found = message(app, sent)
    assert found.status is Status.SENT
    assert found.submission.provider_id == octopush.messages[0].ticket
    assert found.submission.cost == found.cost == Decimal("0.09")
    assert found.submission.parts == 2
    assert found.submission.credit == Decimal("9.91")
    assert fresh_phone(app, phone).balance == Decimal("9.91")
    assert [event.status for event in found.events] == [Status.QUEUED, Status.SENDING, Status.SENT]


def test_low_cost_is_asked_for_with_the_right_key(app, octopush, run_jobs):
    with app.app_context():
        cheap = factories.phone(sms_type="sms_low_cost")
    post(app, cheap)
    run_jobs()
    assert octopush.requests[0]["body"]["type"] == "sms_low_cost"


@pytest.mark.parametrize(
    ("number", "tries"),
    [
        ("+33639980101", 2),  # 500 HTML
        ("+33639980102", 2),  # 502 HTML
        ("+33639980103", 2),  # 429
        ("+33639980104", 2),  # code 438
        ("+33639980105", 2),  # hangs, nothing accepted
        ("+33639980106", 2),  # connection cut before
    ],
)
def test_trouble_is_retried_with_the_same_request_id(app, phone, octopush, run_jobs, number, tries):
    [sent] = post(app, phone, number)
    run_jobs()
    waiting = message(app, sent)
    assert waiting.status is Status.SENDING
    assert waiting.events[-1].reason
    run_jobs()
    assert len(octopush.requests) == 1, "nothing is asked again before its time"

    let_time_pass(app)
    ring(app)
    run_jobs()

    assert message(app, sent).status is Status.SENT
    assert len(octopush.requests) == tries
    assert len(set(request_ids(octopush))) == 1
    assert len(accepted(octopush, number)) == 1


@pytest.mark.parametrize(
    "number",
    [
        "+33639980107",  # cut after accepting
        "+33639980108",  # hangs after accepting
        "+33639980109",  # garbage after accepting
        "+33639980110",  # empty answer after accepting
        "+33639980111",  # 500 after accepting
    ],
)
def test_182_means_that_it_was_sent_once(app, phone, octopush, run_jobs, number):
    [sent] = post(app, phone, number)
    run_jobs()
    assert message(app, sent).status is Status.SENDING

    let_time_pass(app)
    ring(app)
    run_jobs()

    found = message(app, sent)
    assert found.status is Status.SENT
    assert found.submission.provider_id is None
    assert found.submission.code == "182"
    assert len(set(request_ids(octopush))) == 1
    assert len(accepted(octopush, number)) == 1


def test_a_report_teaches_the_ticket_that_was_lost(app, phone, octopush, run_jobs, callbacks):
    [sent] = post(app, phone, "+33639980107")
    run_jobs()
    let_time_pass(app)
    ring(app)
    run_jobs()
    until(lambda: len(octopush.callbacks.deliveries) == 2)
    run_jobs()

    found = message(app, sent)
    assert found.status is Status.DELIVERED
    assert found.submission.provider_id == octopush.messages[0].ticket


def test_nothing_leaves_while_octopush_cannot_be_reached(app, octopush, run_jobs):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        app.config["OCTOPUSH_URL"] = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with app.app_context():
            phone = factories.phone()
        [sent] = post(app, phone)
        run_jobs()
    assert message(app, sent).status is Status.SENDING
    assert not submissions(app)[0].maybe_sent

    app.config["OCTOPUSH_URL"] = octopush.url
    let_time_pass(app)
    ring(app)
    run_jobs()
    assert message(app, sent).status is Status.SENT


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+33639980130", "identifiant ou la clé"),  # 401
        ("+33639980131", "identifiant ou la clé"),  # 403
        ("+33639980132", "identifiant ou la clé"),  # code 101
        ("+33639980145", "identifiant ou la clé"),  # 200 with code 101
        ("+33639980133", "n’a pas validé ce compte"),  # code 113
    ],
)
def test_a_refused_account_pauses_the_phone_and_keeps_the_messages(
    app, client, phone, octopush, run_jobs, number, reason
):
    [sent] = post(app, phone, number)
    run_jobs()
    [behind] = post(app, phone, LEA)
    run_jobs()

    assert fresh_phone(app, phone).status is PhoneStatus.UNAVAILABLE
    assert message(app, sent).status is Status.QUEUED
    assert message(app, behind).status is Status.QUEUED
    assert len(octopush.requests) == 1
    page = client.get("/messages/").text
    assert page.count('role="alert"') == 1
    assert reason in page
    assert "2 SMS attendent" in page


def test_a_paused_phone_resumes_by_itself_when_the_check_passes(app, client, phone, octopush, run_jobs):
    with app.app_context(), transaction() as session:
        saved = session.get(Phone, phone.id)
        saved.sealed_settings = vault_of(app).seal(settings(api_key="wrong"))
    [sent] = post(app, phone)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.UNAVAILABLE

    with app.app_context(), transaction() as session:  # the key is mended at the provider
        session.get(Phone, phone.id).sealed_settings = vault_of(app).seal(settings())
    let_time_pass(app)
    sweep(app)
    run_jobs()

    assert fresh_phone(app, phone).status is PhoneStatus.AVAILABLE
    assert message(app, sent).status is Status.SENT
    assert 'role="alert"' not in client.get("/messages/").text


@pytest.mark.parametrize("fault", ["code_104", "code_105", "code_402"])
def test_every_way_to_say_that_there_is_no_credit_pauses(app, phone, octopush, run_jobs, fault):
    octopush.faults.append(fault)
    [sent] = post(app, phone)
    run_jobs()
    assert message(app, sent).status is Status.QUEUED
    with app.app_context():
        assert db.session.get(Phone, phone.id).status is PhoneStatus.NO_CREDIT


def test_no_credit_pauses_and_resumes_when_the_account_is_filled(app, client, phone, octopush, run_jobs):
    set_credit(octopush, 0.01)
    [sent] = post(app, phone)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.NO_CREDIT
    assert message(app, sent).status is Status.QUEUED
    assert "plus assez de crédit" in client.get("/messages/").text

    # A check that finds the same few cents does not let it run into the same refusal again.
    let_time_pass(app)
    sweep(app)
    run_jobs()
    let_time_pass(app)
    sweep(app)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.NO_CREDIT
    asked = len(octopush.requests)

    set_credit(octopush, 50)
    let_time_pass(app)
    sweep(app)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.AVAILABLE
    assert message(app, sent).status is Status.SENT
    assert len(octopush.requests) == asked + 1


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        ("+33639980135", "103", "ce numéro de destinataire"),
        ("+33639980136", "181", "ce numéro de destinataire"),
        ("+33639980137", "106", "comme expéditeur"),
        ("+33639980138", "107", "texte vide"),
        ("+33639980139", "121", "mention STOP"),
        ("+33639980140", "189", "trop long"),
        ("+33639980141", "208", "type de SMS"),
        ("+33639980142", "1340", "mot interdit"),
        ("+33639980143", "999", "a refusé ce SMS"),
        ("+33639980150", "999", "a refusé ce SMS"),  # 422, words under `detail`, code as a string
        ("+33639980144", None, "a refusé ce SMS"),  # 400 without JSON
    ],
)
def test_a_refusal_fails_the_message_with_the_providers_words(
    app, client, phone, octopush, run_jobs, number, code, reason
):
    [sent] = post(app, phone, number)
    run_jobs()
    let_time_pass(app)
    ring(app)
    run_jobs()

    found = message(app, sent)
    assert found.status is Status.FAILED
    assert found.events[-1].code == code
    assert found.events[-1].words
    assert len(octopush.requests) == 1
    assert fresh_phone(app, phone).status is PhoneStatus.AVAILABLE
    page = client.get(f"/messages/{sent}").text
    assert reason in page
    assert "Échec" in page


@pytest.mark.parametrize("number", ["+33639980146", "+33639980147"])  # not JSON; JSON without a ticket
def test_a_success_that_proves_nothing_becomes_unknown_and_is_never_sent_under_another_id(
    app, phone, octopush, run_jobs, number
):
    [sent] = post(app, phone, number)
    for _ in range(6):
        run_jobs()
        let_time_pass(app)
        ring(app)
    assert message(app, sent).status is Status.UNKNOWN
    assert submissions(app)[0].state is SubmissionState.UNKNOWN
    assert submissions(app)[0].words
    assert len(octopush.requests) == 3
    assert len(set(request_ids(octopush))) == 1


def test_after_23_hours_nobody_can_tell(app, phone, octopush, run_jobs):
    [sent] = post(app, phone, "+33639980148")  # 500 every time: perhaps sent
    run_jobs()
    let_time_pass(app, hours=23.1)
    ring(app)
    run_jobs()
    assert message(app, sent).status is Status.UNKNOWN
    assert len(octopush.requests) == 1


def test_what_surely_did_not_leave_gets_a_new_request_after_23_hours(app, phone, octopush, run_jobs):
    [sent] = post(app, phone, "+33639980103")  # 429: surely not sent
    run_jobs()
    let_time_pass(app, hours=23.1)
    ring(app)
    run_jobs()
    assert message(app, sent).status is Status.SENDING  # refused with 429 under its new request_id
    assert len(set(request_ids(octopush))) == 2
    let_time_pass(app)
    ring(app)
    run_jobs()
    assert message(app, sent).status is Status.SENT
    assert len(accepted(octopush, "+33639980103")) == 1


def test_an_ambiguous_attempt_keeps_its_request_id_through_a_pause(app, phone, octopush, run_jobs):
    octopush.faults.extend(["cut_after", "401"])
    [sent] = post(app, phone)
    run_jobs()
    let_time_pass(app)
    ring(app)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.UNAVAILABLE
    let_time_pass(app)
    sweep(app)
    run_jobs()
    ring(app)
    run_jobs()
    assert message(app, sent).status is Status.SENT
    assert len(set(request_ids(octopush))) == 1
    assert len(accepted(octopush, LEA)) == 1


def test_retry_after_is_respected(app, phone, octopush, run_jobs):
    post(app, phone, "+33639980103")
    run_jobs()
    with app.app_context():
        account, submission = db.session.scalar(select(Account)), db.session.scalar(select(Submission))
        assert account.not_before >= submission.first_attempt_at + timedelta(seconds=2)


def test_one_bad_number_of_many_fails_alone(app, phone, octopush, run_jobs):
    good = [f"+3363998{n:04d}" for n in range(8000, 8007)]
    ids = post(app, phone, *good[:4], "+33639980136", *good[4:])
    run_jobs()
    statuses = {message(app, sent).number: message(app, sent).status for sent in ids}
    assert statuses.pop("+33639980136") is Status.FAILED
    assert set(statuses.values()) == {Status.SENT}
    assert all(len(accepted(octopush, number)) == 1 for number in good)


def test_one_poisoned_request_does_not_hold_up_the_others(app, phone, octopush, run_jobs):
    post(app, phone, "+33639980148", text="poison")
    run_jobs()
    [behind] = post(app, phone, BOB)
    with app.app_context(), transaction() as session:
        # The account's wait is over and the poison's own is not, however slow this machine is.
        session.execute(update(Account).values(not_before=None))
        session.execute(update(Submission).values(next_attempt_at=now() + timedelta(minutes=1)))
    ring(app)
    run_jobs()
    assert message(app, behind).status is Status.SENT


def test_a_stop_between_writing_and_sending_is_respected(app, phone, octopush, run_jobs):
    said_stop, other = post(app, phone, LEA, BOB)
    with app.app_context(), transaction() as session:
        session.add(OptOut(number=LEA, origin="reply"))
    run_jobs()
    assert message(app, said_stop).status is Status.CANCELLED
    assert message(app, other).status is Status.SENT
    assert accepted(octopush, LEA) == []


def set_credit(octopush, euros):
    requests.post(f"{octopush.control}/credit", json={"login": LOGIN, "credit": euros}, timeout=5)


def vault_of(app):
    return app.extensions["vault"]


def taken(**more):
    """What the adapter says of a request that was taken."""
    from raspisms.adapters.base import Accepted

    return Accepted("ticket", **more)


def answered(app, phone, ids, answer):
    from raspisms.sending import claim, lease, outcome

    with app.app_context():
        assert lease.take(phone.account_id)
        claimed = claim.next_claim(phone.account_id)
        outcome.record(claimed.submission_id, answer)
        lease.release(phone.account_id)
    return [message(app, one) for one in ids]


@pytest.mark.parametrize("cost", ["0.1", "0.000001", "0", "12.345678"])
def test_shares_of_a_cost_add_up_to_it(app, phone, cost):
    ids = post(app, phone, *[f"+3363998{n:04}" for n in range(1000, 1007)])
    found = answered(app, phone, ids, taken(cost=Decimal(cost)))
    assert sum(one.cost for one in found) == Decimal(cost)
    assert max(one.cost for one in found) - min(one.cost for one in found) <= Decimal("0.000001")


def test_a_cost_that_nobody_names_is_that_of_the_last_one_and_marked(app, phone, client):
    [nothing_known] = answered(app, phone, post(app, phone, text="a"), taken())
    assert nothing_known.cost is None
    answered(app, phone, post(app, phone, text="b"), taken(cost=Decimal("0.05")))
    [guessed] = answered(app, phone, post(app, phone, text="é" * 200), taken())
    assert (guessed.cost, guessed.parts, guessed.submission.is_estimated) == (Decimal("0.10"), 2, True)
    assert "environ" in client.get(f"/messages/{guessed.id}").text
    assert "dont" in client.get("/statistics/").text


@pytest.mark.parametrize(
    ("number", "status"), [(0, Status.UNKNOWN), (1, Status.SENT), (2, Status.SENT), (None, Status.SENT)]
)
def test_a_ticket_for_nobody_is_no_success(app, phone, number, status):
    found = answered(app, phone, post(app, phone, LEA, BOB), taken(taken=number))
    assert {one.status for one in found} == {status}
    assert found[0].submission.provider_id == "ticket", "reports may still tell"
    assert (found[0].events[-1].reason is None) is (number in {2, None})


def test_one_bad_number_after_a_doubt_is_found_and_the_others_leave(app, phone, octopush, run_jobs, monkeypatch):
    from raspisms.adapters.base import RefusedError
    from raspisms.adapters.octopush.adapter import OctopushVirtualNumber

    numbers = [f"+3363998{n:04}" for n in range(1000, 1009)]
    real = OctopushVirtualNumber.submit

    def submit(self, batch):
        if numbers[3] in batch.recipients:
            raise RefusedError("mauvais numéro", one_number=True, bad_number=True, code="103")
        return real(self, batch)

    octopush.faults.append("cut_before")
    ids = post(app, phone, *numbers)
    run_jobs()
    monkeypatch.setattr(OctopushVirtualNumber, "submit", submit)
    for _ in range(6):
        let_time_pass(app)
        ring(app)
        run_jobs()
    found = {message(app, one).number: message(app, one).status for one in ids}
    assert [number for number, status in found.items() if status is not Status.SENT] == [numbers[3]]
    assert all(len(accepted(octopush, number)) == (number != numbers[3]) for number in numbers)


def test_an_hour_of_patience_is_for_campaigns(app, phone, octopush, run_jobs):
    from raspisms.adapters.base import TemporaryError
    from raspisms.models import Lane

    ids = post(app, phone, LEA, lane=Lane.BULK)
    answered(app, phone, ids, TemporaryError("Doucement.", retry_after=3600))
    [by_hand] = post(app, phone, BOB)
    run_jobs()
    assert message(app, by_hand).status is Status.QUEUED, "not within a minute"
    with app.app_context(), transaction() as session:
        account = session.get(Account, phone.account_id)
        assert account.not_before > now() + timedelta(minutes=50)
        assert account.by_hand_not_before < now() + timedelta(minutes=2)
        account.by_hand_not_before = now()
    sweep(app)
    run_jobs()
    assert message(app, by_hand).status is Status.SENT
    assert message(app, ids[0]).status is Status.SENDING, "the campaign is as patient as it was asked to be"


def test_a_refusal_for_credit_says_why_it_waits(app, phone, octopush, run_jobs):
    octopush.account(LOGIN).credit = Decimal("0.001")
    [waiting] = post(app, phone)
    run_jobs()
    last = message(app, waiting).events[-1]
    assert (last.status, "crédit" in (last.reason or "")) == (Status.QUEUED, True)
