"""Time limits: "inutile après", and reports that never came."""

from datetime import timedelta

import pytest

from raspisms.campaigns import lifecycle
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import CampaignState, Message, Phone, Status, SubmissionState
from raspisms.phones import saving
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import acceptance, expiry, outbox, unknown_outcomes
from tests import factories
from tests.factories import BOB, LEA, let_time_pass, message, post, ring, sweep
from tests.sending.steps import TEXT, accept, counts, do, numbers, state


def soon():
    return now() + timedelta(hours=1)


def tidy(app):
    with app.app_context():
        scheduler.tidy()


def pause(app, phone):
    """Nothing leaves any more, as when the account is empty."""
    with app.app_context(), factories.transaction() as session:
        session.get(Phone, phone.id).status = "no_credit"


def events(app, message_id):
    return [(event.status, event.reason) for event in message(app, message_id).events]


def test_what_waits_past_its_limit_expires_and_never_leaves(app, phone, octopush, run_jobs):
    late, endless = post(app, phone, LEA, expires_at=soon())[0], post(app, phone, BOB)[0]
    let_time_pass(app, hours=2)
    run_jobs()
    assert message(app, late).status is Status.EXPIRED
    assert events(app, late)[-1] == (Status.EXPIRED, expiry.TOO_LATE)
    assert message(app, endless).status is Status.SENT
    assert [sms.number for sms in octopush.messages] == [BOB]


def test_before_its_limit_it_leaves(app, phone, octopush, run_jobs):
    [sent] = post(app, phone, LEA, expires_at=soon())
    run_jobs()
    assert message(app, sent).status is Status.SENT


def test_the_sweep_says_so_while_the_phone_is_paused(app, phone, octopush, run_jobs):
    [sent] = post(app, phone, LEA, expires_at=soon())
    pause(app, phone)
    let_time_pass(app, hours=2)
    sweep(app)
    assert message(app, sent).status is Status.EXPIRED


def test_a_campaign_of_which_everything_expired_is_done(app, phone, octopush, run_jobs):
    report = accept(app, phone, numbers(3), expires_at=soon())
    let_time_pass(app, hours=2)
    sweep(app)
    assert counts(app, report.campaign_id) == {Status.EXPIRED: 3}
    assert state(app, report.campaign_id) is CampaignState.DONE
    run_jobs()
    assert octopush.requests == []


def test_texts_with_another_limit_leave_in_another_request(app, phone, octopush, run_jobs):
    limit = soon()
    post(app, phone, LEA, expires_at=limit)
    post(app, phone, BOB)
    post(app, phone, "+33639987003", expires_at=limit)
    run_jobs()
    assert [len(request["body"]["recipients"]) for request in octopush.requests] == [2, 1]


def test_what_surely_did_not_leave_expires_while_it_waits_for_its_retry(app, phone, octopush, run_jobs):
    octopush.faults.append("429")
    [sent] = post(app, phone, LEA, expires_at=soon())
    run_jobs()
    assert message(app, sent).status is Status.SENDING
    let_time_pass(app, hours=2)
    ring(app)
    run_jobs()
    assert message(app, sent).status is Status.EXPIRED
    assert octopush.messages == []


def test_what_perhaps_left_is_unknown_and_not_asked_again_past_its_limit(app, phone, octopush, run_jobs):
    octopush.faults.append("cut_before")
    [sent] = post(app, phone, LEA, expires_at=soon())
    run_jobs()
    let_time_pass(app, hours=2)
    ring(app)
    run_jobs()
    found = message(app, sent)
    assert found.status is Status.UNKNOWN
    assert found.submission.state is SubmissionState.UNKNOWN
    assert len(octopush.requests) == 1


def test_a_person_may_send_it_again_all_the_same(app, alice, phone, octopush, run_jobs):
    octopush.faults.append("cut_before")
    [sent] = post(app, phone, LEA, expires_at=soon())
    run_jobs()
    let_time_pass(app, hours=2)
    tidy(app)
    with app.app_context():
        unknown_outcomes.send_again(sent, alice.id)
    run_jobs()
    assert message(app, sent).status is Status.SENT


def test_a_limit_in_the_past_is_refused_and_nothing_is_kept(app, phone):
    past = now() - timedelta(seconds=1)
    with app.app_context():
        same = db.session.get(Phone, phone.id)
        with pytest.raises(outbox.Refused, match="inutile après"):
            outbox.post(same, [LEA], TEXT, expires_at=past)
        with pytest.raises(outbox.Refused, match="inutile après"):
            acceptance.post_campaign(same, [(1, LEA)], TEXT, expires_at=past)
        assert db.session.query(Message).count() == 0
        assert lifecycle.newest() == []


def test_failures_of_a_campaign_past_its_limit_are_not_sent_again(app, phone, octopush, run_jobs):
    report = accept(app, phone, ["+33639980136"], expires_at=soon())
    run_jobs()
    assert counts(app, report.campaign_id) == {Status.FAILED: 1}
    with app.app_context(), factories.transaction() as session:
        campaign = session.get(lifecycle.Campaign, report.campaign_id)
        campaign.expires_at = now() - timedelta(seconds=1)
    with pytest.raises(lifecycle.Refused, match="inutile après"):
        do(app, lifecycle.retry_failed, report.campaign_id)


# -- reports that never came ----------------------------------------------------------------------------


def test_a_report_three_days_overdue_is_said_once_and_the_message_stays_sent(app, phone, octopush, run_jobs, get):
    [sent] = post(app, phone)
    run_jobs()
    tidy(app)
    assert not message(app, sent).is_unreported
    let_time_pass(app, hours=73)
    sent_at = message(app, sent).sent_at
    tidy(app)
    tidy(app)
    found = message(app, sent)
    assert (found.status, found.is_unreported, found.sent_at) == (Status.SENT, True, sent_at)
    assert [reason for _, reason in events(app, sent)].count(expiry.NO_REPORT) == 1
    assert "Sans accusé" in get("/messages/").text
    assert "72 heures" in get(f"/messages/{sent}").text


def test_a_late_report_still_counts(app, phone, octopush, callbacks, run_jobs, get):
    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    let_time_pass(app, hours=73)
    tidy(app)
    report = {"message_id": octopush.messages[0].ticket, "number": LEA, "status": "DELIVERED"}
    callbacks.http.post(callbacks.status, json=report)
    run_jobs()
    assert message(app, sent).status is Status.DELIVERED
    assert "Sans accusé" not in get("/messages/").text


def test_a_pace_or_a_limit_is_no_adapter_setting(app, phone):
    """They belong to the phone, whatever its provider."""
    draft = saving.Draft("octopush_virtual_number", "Mairie", factories.settings(), pace=" 12 ")
    with app.app_context():
        draft.phone = db.session.get(Phone, phone.id)
        assert saving.validate(draft)
        saving.save(draft, None)
        assert db.session.get(Phone, phone.id).pace == 12
