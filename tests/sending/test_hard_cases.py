"""What a careful reader found: rare orders of events in which a message could be doubled, lost or misjudged."""

import pytest
from sqlalchemy import select, update

from raspisms.adapters.base import AccountError, PauseKind
from raspisms.extensions import db
from raspisms.models import Account, OptOut, Phone, PhoneStatus, Status, Submission
from raspisms.phones import checking, saving
from raspisms.phones.settings import values_of
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import claim, lease
from raspisms.storage.transactions import transaction
from tests import factories
from tests.factories import BOB, KEY, LEA, fresh_phone, let_time_pass, message, post, ring, sweep
from tests.sending.test_claim import hold, living_holder
from tests.sending.test_outcomes import accepted, request_ids


def change(app, phone, **changes):
    """What the phone form does when the check passes."""
    with app.app_context():
        saved = db.session.get(Phone, phone.id)
        values = values_of(saved) | changes
        draft = saving.Draft(saved.adapter, values.pop("name", saved.name), values, phone=saved)
        assert saving.validate(draft), draft.errors
        saving.save(draft, saving.check(draft))


def tidy(app):
    with app.app_context():
        scheduler.tidy()


def retry(app, run_jobs):
    let_time_pass(app)
    ring(app)
    run_jobs()


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


def test_reports_find_their_message_after_the_login_was_changed(app, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    change(app, phone, login="other@example.org")
    ticket = message(app, sent).submission.ticket
    callbacks.http.post(callbacks.status, json={"message_id": ticket, "number": LEA, "status": "DELIVERED"})
    run_jobs()
    assert message(app, sent).status is Status.DELIVERED


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


def test_an_edited_text_or_a_new_number_is_no_repetition(app, phone):
    first = post(app, phone, LEA, text="RDV 14 h", form_key="k")
    edited = post(app, phone, LEA, BOB, text="RDV 15 h", form_key="k")
    more = post(app, phone, LEA, BOB, "+33639987003", text="RDV 15 h", form_key="k")
    assert first[0] not in edited
    assert more[:2] == edited
    assert [message(app, sent).number for sent in more] == [LEA, BOB, "+33639987003"]


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

        outcome.record(claimed.submission_id, Accepted(ticket="sms_b"))
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


def test_a_transaction_reads_again_what_was_read_before(app, phone):
    with app.app_context():
        held = db.session.get(Phone, phone.id)
        db.session.commit()
        with db.engine.connect() as other:
            other.exec_driver_sql("UPDATE phones SET name = 'Nouveau'")
            other.commit()
        with transaction():
            assert held.name == "Nouveau"


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


def test_an_early_word_of_a_stop_counts_at_once(app, phone, callbacks, run_jobs):
    report = {"message_id": "sms_unknown", "number": LEA, "status": "BLACKLISTED_NUMBER"}
    callbacks.http.post(callbacks.status, json=report)
    run_jobs()
    with app.app_context():
        assert db.session.scalar(select(OptOut.number)) == LEA


def disable(app, phone):
    with app.app_context(), transaction() as session:
        session.get(Phone, phone.id).status = PhoneStatus.DISABLED


def test_a_disabled_phone_stays_so_when_it_is_renamed(app, phone, octopush, run_jobs):
    disable(app, phone)
    [waiting] = post(app, phone)
    change(app, phone, name="Autre nom")
    sweep(app)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.DISABLED
    assert message(app, waiting).status is Status.QUEUED


def test_a_refusal_does_not_undo_a_persons_disabling(app, phone):
    disable(app, phone)
    with app.app_context():
        with transaction() as session:
            checking.pause(session.get(Phone, phone.id), AccountError(PauseKind.CREDENTIALS, "refused"))
        checking.check(phone.id)
    assert fresh_phone(app, phone).status is PhoneStatus.DISABLED


def test_a_disabled_phone_keeps_no_message_in_doubt_for_ever(app, phone, octopush, run_jobs):
    octopush.faults.append("cut_after")
    [doubtful] = post(app, phone)
    run_jobs()
    disable(app, phone)
    let_time_pass(app, hours=24)
    tidy(app)
    assert message(app, doubtful).status is Status.UNKNOWN


def test_settings_that_cannot_be_read_pause_the_phone_and_say_so(app, client, phone, octopush, run_jobs):
    with app.app_context(), transaction() as session:
        saved = session.get(Phone, phone.id)
        saved.sealed_settings = saved.sealed_token = "sealed with a secret that is gone"
    [waiting] = post(app, phone)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.UNAVAILABLE
    assert message(app, waiting).status is Status.QUEUED
    for path in ("/phones/", f"/phones/{phone.id}/edit", f"/phones/{phone.id}/email"):
        assert "ne se lisent plus" in client.get(path).text
    let_time_pass(app)
    sweep(app)
    run_jobs()

    change(app, phone, **factories.settings(api_key=KEY))
    ring(app)
    run_jobs()
    assert message(app, waiting).status is Status.SENT


def test_an_account_that_passes_checks_and_refuses_messages_is_asked_less_and_less(app, phone, octopush, run_jobs):
    waits = []
    post(app, phone, "+33639980133")  # code 113 every time, while the balance answers
    for _ in range(5):
        run_jobs()
        paused = fresh_phone(app, phone)
        waits.append(round((paused.check_at - factories.now()).total_seconds() / 60))
        let_time_pass(app)
        sweep(app)
        run_jobs("upkeep")
    assert waits == sorted(waits)
    assert waits[0] == 1
    assert waits[-1] == 15


def test_a_balance_that_was_stale_does_not_keep_a_filled_account_paused(app, phone, octopush, run_jobs):
    account = octopush.account(factories.LOGIN)
    full, account.credit = account.credit, account.credit * 0  # we believe 10 euros; somebody else spent them
    [waiting] = post(app, phone)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.NO_CREDIT
    let_time_pass(app)
    sweep(app)
    run_jobs()
    account.credit = full / 2  # filled, to less than what we had believed
    let_time_pass(app)
    sweep(app)
    run_jobs()
    assert message(app, waiting).status is Status.SENT


def test_an_account_filled_before_its_first_check_resumes_by_itself(app, phone, octopush, run_jobs):
    octopush.faults.append("code_104")  # out of credit for a moment; the balance never shows it
    [waiting] = post(app, phone)
    run_jobs()
    for _ in range(6):
        let_time_pass(app)
        sweep(app)
        run_jobs()
    assert message(app, waiting).status is Status.SENT
