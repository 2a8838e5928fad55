"""Phones that are paused, disabled, checked again."""

from __future__ import annotations

from raspisms.adapters.base import AccountError, PauseKind
from raspisms.models import Phone, PhoneStatus, Status
from raspisms.phones import checking
from raspisms.storage.transactions import transaction
from tests import factories
from tests.factories import KEY, fresh_phone, let_time_pass, message, post, ring, sweep
from tests.sending.steps import change, tidy


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
