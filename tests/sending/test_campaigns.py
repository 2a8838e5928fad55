"""Campaigns: accepted whole or not at all, in turn, and obeying their verbs."""

import itertools
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from raspisms.campaigns import lifecycle
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.machine import processes
from raspisms.models import (
    Campaign,
    CampaignState,
    Contact,
    Message,
    MessageEvent,
    OptOut,
    Phone,
    Status,
    Submission,
    SubmissionState,
)
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import acceptance, claim, lease, outbox, unknown_outcomes
from raspisms.storage.transactions import transaction
from tests import factories
from tests.databases import locked, raw, shorten_patience
from tests.factories import BOB, LEA, LOGIN, fresh_phone, let_time_pass, message, post, ring, sweep, until
from tests.sending.steps import TEXT, accept, counts, do, hold_back, numbers, state, texts


def test_every_line_is_accounted_for(app, phone, octopush, run_jobs):
    with app.app_context(), transaction() as session:
        session.add(OptOut(number=BOB, origin="reply"))
        session.add(Contact(name="x", number="+33639987007", sort_key="x", search="x", fault="Numéro inconnu."))
    raw = [LEA, "06 39 98 70 01", "Jean", BOB, "0639987003", "0033639987003", "", "+1 415 555 2671"]
    raw += ["06 39 98 70 04", "06 39 98 70 07"]
    report = accept(app, phone, raw)
    assert report.accepted == 3
    assert [(r.line, r.value) for r in report.invalid] == [(3, "Jean"), (7, "")]
    assert [(r.line, r.value) for r in report.duplicates] == [(2, LEA), (6, "+33639987003")]
    assert [(r.line, r.value) for r in report.opted_out] == [(4, BOB)]
    left_out = [(8, "+14155552671"), (10, "+33639987007")]
    assert [(r.line, r.refusal.number) for r in report.left_out] == left_out
    assert "pays" in report.left_out[0].refusal.sentence
    run_jobs()
    assert texts(octopush) == [(TEXT, 3)]
    assert state(app, report.campaign_id) is CampaignState.DONE
    assert counts(app, report.campaign_id) == {Status.SENT: 3}


def test_acceptance_goes_beyond_one_transaction(app, phone, octopush, run_jobs, monkeypatch):
    monkeypatch.setattr(acceptance, "CHUNK", 100)
    octopush.account(LOGIN).credit *= 10
    report = accept(app, phone, [f"+3361{n:07d}" for n in range(1, 1251)])
    run_jobs()
    assert [size for _, size in texts(octopush)] == [500, 500, 250]
    with app.app_context():
        assert db.session.scalar(select(func.count(MessageEvent.id))) == 1250 * 3
        assert db.session.scalar(select(func.count()).select_from(Message).where(Message.parts == 1)) == 1250
    assert counts(app, report.campaign_id) == {Status.SENT: 1250}


def test_nothing_leaves_while_a_campaign_is_being_accepted(app, phone, octopush, run_jobs):
    def lines():
        yield 1, LEA
        ring(app)
        run_jobs("sending")
        raise RuntimeError("the machine stopped here")

    with app.app_context(), pytest.raises(RuntimeError):
        acceptance.post_campaign(db.session.get(Phone, phone.id), lines(), TEXT)
    ring(app)
    run_jobs()
    assert octopush.requests == []


def test_an_interrupted_acceptance_is_cancelled_as_a_whole(app, phone, octopush, run_jobs, monkeypatch):
    monkeypatch.setattr(acceptance, "CHUNK", 1)

    def lines():
        yield 1, LEA
        yield 2, BOB
        raise RuntimeError("the machine stopped here")

    with app.app_context(), pytest.raises(RuntimeError):
        acceptance.post_campaign(db.session.get(Phone, phone.id), lines(), TEXT)
    with app.app_context():
        with transaction() as session:
            session.get(Campaign, 1).created_at -= timedelta(hours=1)
        scheduler.tidy()
    assert state(app, 1) is CampaignState.CANCELLED
    assert set(counts(app, 1)) == {Status.CANCELLED}
    run_jobs()
    assert octopush.requests == []


def test_a_paused_campaign_waits_and_goes_on(app, phone, octopush, run_jobs):
    campaign_id = hold_back(app, phone, numbers(3))
    run_jobs()
    assert octopush.requests == []
    assert counts(app, campaign_id) == {Status.QUEUED: 3}
    do(app, lifecycle.resume, campaign_id)
    run_jobs()
    assert counts(app, campaign_id) == {Status.SENT: 3}


def test_a_cancelled_campaign_leaves_what_has_left(app, phone, octopush, run_jobs):
    campaign_id = hold_back(app, phone, numbers(3))
    do(app, lifecycle.cancel, campaign_id)
    run_jobs()
    assert octopush.requests == []
    assert counts(app, campaign_id) == {Status.CANCELLED: 3}
    with app.app_context():
        [event] = db.session.scalars(select(MessageEvent).where(MessageEvent.status == Status.CANCELLED).limit(1))
        assert "annulée" in event.reason
    with pytest.raises(lifecycle.Refused):
        do(app, lifecycle.cancel, campaign_id)


def test_only_what_failed_is_sent_again(app, phone, octopush, run_jobs):
    report = accept(app, phone, [LEA, "+33639980136"])  # the second number is refused
    run_jobs()
    assert counts(app, report.campaign_id) == {Status.SENT: 1, Status.FAILED: 1}
    assert state(app, report.campaign_id) is CampaignState.DONE
    asked = len(octopush.requests)
    do(app, lifecycle.retry_failed, report.campaign_id)
    assert state(app, report.campaign_id) is CampaignState.SENDING
    run_jobs()
    assert [r["body"]["recipients"] for r in octopush.requests[asked:]] == [[{"phone_number": "+33639980136"}]]
    assert counts(app, report.campaign_id) == {Status.SENT: 1, Status.FAILED: 1}


@pytest.mark.parametrize(
    "verb", [lifecycle.pause, lifecycle.resume, lifecycle.cancel, lifecycle.retry_failed], ids=lambda v: v.__name__
)
def test_verbs_that_do_not_fit_are_refused(app, phone, octopush, run_jobs, verb):
    report = accept(app, phone, [LEA])
    run_jobs()
    for campaign_id, words in ((report.campaign_id, "campagne"), (99, "n’existe pas")):
        with pytest.raises(lifecycle.Refused, match=words):
            do(app, verb, campaign_id)
    assert state(app, report.campaign_id) is CampaignState.DONE


def test_campaigns_take_turns(app, phone, octopush, run_jobs, monkeypatch):
    from raspisms.adapters.octopush.adapter import OctopushVirtualNumber

    monkeypatch.setattr(OctopushVirtualNumber, "max_recipients", 2)
    first = hold_back(app, phone, numbers(6), "A")
    second = hold_back(app, phone, numbers(6), "B")
    for campaign_id in (first, second):
        do(app, lifecycle.resume, campaign_id)
    run_jobs()
    assert [text for text, _ in texts(octopush)] == ["A", "B", "A", "B", "A", "B"]


def test_a_new_campaign_does_not_wait_nor_starve_the_old_one(app, phone, octopush, run_jobs, monkeypatch):
    from raspisms.adapters.octopush.adapter import OctopushVirtualNumber

    monkeypatch.setattr(OctopushVirtualNumber, "max_recipients", 1)
    old = hold_back(app, phone, numbers(4), "old")
    with app.app_context(), transaction() as session:
        session.get(Campaign, old).turn = 100
    do(app, lifecycle.resume, old)
    new = accept(app, phone, numbers(4), "new")
    run_jobs()
    assert [text for text, _ in texts(octopush)] == ["old", "new"] * 4
    assert state(app, new.campaign_id) is CampaignState.DONE


def test_a_reply_overtakes_a_campaign_at_the_next_request(app, phone, octopush, run_jobs, monkeypatch):
    from raspisms.adapters.octopush.adapter import OctopushVirtualNumber
    from raspisms.sending import dispatch

    monkeypatch.setattr(OctopushVirtualNumber, "max_recipients", 2)
    accept(app, phone, numbers(6), "bulk")
    asked = []

    def after_the_first_request():
        asked.append(len(octopush.requests))
        if len(octopush.requests) == 1:
            outbox.post(db.session.get(Phone, phone.id), [LEA], "reply")
        return False

    with app.app_context():
        dispatch.drain(phone.account_id, stop=after_the_first_request)
    assert [text for text, _ in texts(octopush)] == ["bulk", "reply", "bulk", "bulk"]


def test_somebody_who_says_stop_meanwhile_is_left_out(app, phone, octopush, run_jobs):
    campaign_id = hold_back(app, phone, [LEA, BOB])
    with app.app_context(), transaction() as session:
        session.add(OptOut(number=LEA, origin="reply"))
    do(app, lifecycle.resume, campaign_id)
    run_jobs()
    assert counts(app, campaign_id) == {Status.SENT: 1, Status.CANCELLED: 1}
    assert state(app, campaign_id) is CampaignState.DONE


@pytest.mark.parametrize("raw", [[], ["Jean"], [BOB]])
def test_a_campaign_to_nobody_is_refused_and_leaves_nothing(app, phone, raw):
    with app.app_context(), transaction() as session:
        session.add(OptOut(number=BOB, origin="reply"))
    with pytest.raises(acceptance.NoRecipient) as refused:
        accept(app, phone, raw)
    report = refused.value.report
    assert [refusal.value for refusal in report.invalid + report.opted_out] == raw
    with app.app_context():
        assert lifecycle.newest() == []


def test_numbers_that_a_spreadsheet_damaged_are_repaired_with_notice_or_refused(app, phone, octopush, run_jobs):
    wrong = ["6,12E+08", "6.39987009E+09", "552100554", "336123456"]
    raw = ["639987001", "33639987002", "6,39987003E+08", "639987004.0", *wrong]
    report = accept(app, phone, raw)
    assert [(found.line, found.value, found.number) for found in report.repaired] == [
        (line, raw[line - 1], f"+3363998700{line}") for line in (1, 2, 3, 4)
    ]
    assert [(refusal.line, refusal.value) for refusal in report.invalid] == list(enumerate(wrong, start=5))
    run_jobs()
    assert sorted(sms.number for sms in octopush.messages) == [f"+3363998700{n}" for n in (1, 2, 3, 4)]


def test_messages_written_by_hand_have_no_campaign(app, phone, octopush, run_jobs):
    [sent] = post(app, phone)
    run_jobs()
    assert message(app, sent).campaign_id is None


def prepare(app, phone):
    """What a drain does while a request is in the air, and the drain gone since."""

    with app.app_context():
        assert lease.take(phone.account_id)
        claim.prepare(phone.account_id)
        lease.release(phone.account_id)


def open_submissions(app):
    with app.app_context():
        rows = db.session.scalars(select(Submission).where(Submission.state == SubmissionState.OPEN))
        return [submission.attempts for submission in rows]


def test_a_prepared_chunk_leaves_later_and_once(app, phone, octopush, run_jobs, two_at_a_time):
    report = accept(app, phone, numbers(5))
    prepare(app, phone)
    prepare(app, phone)
    assert open_submissions(app) == [0], "one chunk at most is prepared"
    run_jobs()
    assert [size for _, size in texts(octopush)] == [2, 2, 1]
    assert counts(app, report.campaign_id) == {Status.SENT: 5}
    assert len({sms.number for sms in octopush.messages}) == len(octopush.messages) == 5


def test_a_prepared_chunk_of_a_paused_campaign_waits(app, phone, octopush, run_jobs, two_at_a_time):
    report = accept(app, phone, numbers(5))
    prepare(app, phone)
    do(app, lifecycle.pause, report.campaign_id)
    ring(app)
    run_jobs()
    assert octopush.requests == []
    assert counts(app, report.campaign_id) == {Status.QUEUED: 5}
    do(app, lifecycle.resume, report.campaign_id)
    run_jobs()
    assert counts(app, report.campaign_id) == {Status.SENT: 5}


def test_a_prepared_chunk_of_a_cancelled_campaign_never_leaves(app, phone, octopush, run_jobs, two_at_a_time):
    report = accept(app, phone, numbers(5))
    prepare(app, phone)
    do(app, lifecycle.cancel, report.campaign_id)
    ring(app)
    run_jobs()
    assert octopush.requests == []
    assert counts(app, report.campaign_id) == {Status.CANCELLED: 5}


def test_a_prepared_chunk_waits_in_the_queue_while_its_phone_is_paused(app, phone, octopush, run_jobs, two_at_a_time):
    octopush.faults.append("401")
    report = accept(app, phone, numbers(5))
    run_jobs()
    assert fresh_phone(app, phone).is_paused
    assert counts(app, report.campaign_id) == {Status.QUEUED: 5}
    assert open_submissions(app) == []
    let_time_pass(app)
    sweep(app)
    run_jobs()
    assert counts(app, report.campaign_id) == {Status.SENT: 5}
    assert len({sms.number for sms in octopush.messages}) == len(octopush.messages) == 5


def test_the_next_request_flies_before_the_last_answer_is_written_down(
    app, phone, octopush, run_jobs, two_at_a_time, monkeypatch
):
    """And still one at a time: a request begins only when the last one was answered."""
    from raspisms.sending import outcome

    octopush.switches.latency = 0.05
    asked_when_recorded, real = [], outcome.record

    def record(submission_id, result):
        if submission_id == 1:
            until(lambda: len(octopush.requests) == 2, what="the second request")
            asked_when_recorded.append(len(octopush.requests))
        return real(submission_id, result)

    monkeypatch.setattr(outcome, "record", record)
    accept(app, phone, numbers(6))
    run_jobs()
    assert asked_when_recorded == [2]
    times = [request["at"] for request in octopush.requests]
    assert all(later - earlier >= 0.05 for earlier, later in itertools.pairwise(times))


def test_a_death_between_an_answer_and_its_record_doubles_nothing(
    app, phone, octopush, run_jobs, two_at_a_time, monkeypatch
):
    from raspisms.sending import outcome

    real, deaths = outcome.record, []

    def die_once(submission_id, result):
        if not deaths:
            deaths.append(submission_id)
            raise RuntimeError("killed here")
        return real(submission_id, result)

    monkeypatch.setattr(outcome, "record", die_once)
    report = accept(app, phone, numbers(6))
    run_jobs()  # dies with one answer unrecorded and one request in the air
    for _ in range(3):
        let_time_pass(app)
        ring(app)
        run_jobs()
    assert counts(app, report.campaign_id) == {Status.SENT: 6}
    assert len({sms.number for sms in octopush.messages}) == len(octopush.messages) == 6


def test_a_message_sent_again_believes_the_same_word_again(app, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    report = accept(app, phone, [LEA])
    run_jobs()

    def failed_by_the_operator():
        with app.app_context():
            [sent] = db.session.scalars(select(Message))
            ticket = sent.submission.provider_id
        callbacks.http.post(callbacks.status, json={"message_id": ticket, "number": LEA, "status": "NOT_DELIVERED"})
        run_jobs()
        return counts(app, report.campaign_id)

    assert failed_by_the_operator() == {Status.FAILED: 1}
    do(app, lifecycle.retry_failed, report.campaign_id)
    run_jobs()
    assert counts(app, report.campaign_id) == {Status.SENT: 1}
    assert failed_by_the_operator() == {Status.FAILED: 1}


def test_a_doubtful_message_of_a_finished_campaign_can_be_sent_again(app, alice, phone, octopush, run_jobs):
    octopush.faults.append("cut_after")
    report = accept(app, phone, [LEA])
    run_jobs()
    let_time_pass(app, hours=24)
    with app.app_context():
        scheduler.tidy()
    assert state(app, report.campaign_id) is CampaignState.DONE
    with app.app_context():
        unknown_outcomes.send_again(db.session.scalar(select(Message.id)), alice.id)
    run_jobs()
    assert counts(app, report.campaign_id) == {Status.SENT: 1}
    assert state(app, report.campaign_id) is CampaignState.DONE


@pytest.mark.parametrize("verb", [lifecycle.cancel, lifecycle.pause], ids=lambda v: v.__name__)
def test_what_waits_for_its_retry_obeys_too(app, phone, octopush, run_jobs, verb):
    octopush.faults.append("429")
    report = accept(app, phone, numbers(3))
    run_jobs()
    do(app, verb, report.campaign_id)
    let_time_pass(app)
    ring(app)
    run_jobs()
    assert octopush.messages == []
    waiting = Status.CANCELLED if verb is lifecycle.cancel else Status.QUEUED
    assert counts(app, report.campaign_id) == {waiting: 3}


def test_what_comes_back_to_a_cancelled_campaign_is_cancelled(app, phone, octopush):
    from raspisms.adapters.base import AccountError, PauseKind
    from raspisms.sending import outcome

    report = accept(app, phone, numbers(3))
    with app.app_context():
        lease.take(phone.account_id)
        claimed = claim.next_claim(phone.account_id)
        lifecycle.cancel(report.campaign_id)  # while the request is in the air
        outcome.record(claimed.submission_id, AccountError(PauseKind.CREDENTIALS, "refused"))
        scheduler.tidy()
    assert counts(app, report.campaign_id) == {Status.CANCELLED: 3}


# -- acceptance and its process ----------------------------------------------------------------------------


def begin_accepting(app, phone, holder, held_at):
    with app.app_context(), transaction() as session:
        campaign = Campaign(
            name="x", phone_id=phone.id, text=TEXT, purpose="information", holder=holder, held_at=held_at
        )
        session.add(campaign)
        session.flush()
        return campaign.id


def test_a_dead_acceptance_is_cancelled_at_once_and_a_living_one_never(app, phone):
    dead = begin_accepting(app, phone, f"{processes.machine()}#999999#1", now())
    living = begin_accepting(app, phone, processes.holder(), now())
    silent = begin_accepting(app, phone, processes.holder(), now() - timedelta(hours=1))
    with app.app_context():
        scheduler.tidy()
    assert [state(app, one) for one in (dead, living, silent)] == [
        CampaignState.CANCELLED,
        CampaignState.SCHEDULED,
        CampaignState.CANCELLED,
    ]


def test_an_acceptance_that_was_cancelled_meanwhile_says_so(app, phone, octopush, run_jobs, monkeypatch):
    monkeypatch.setattr(acceptance, "CHUNK", 2)

    def lines():
        for line, number in enumerate(numbers(6), start=1):
            if line == 4:
                lifecycle.cancel(lifecycle.newest()[0].id)
            yield line, number

    with app.app_context(), pytest.raises(lifecycle.Refused, match="interrompue"):
        acceptance.post_campaign(db.session.get(Phone, phone.id), lines(), TEXT)
    run_jobs()
    assert octopush.requests == []


def test_a_database_that_is_locked_for_a_while_does_not_interrupt_an_acceptance(app, phone, monkeypatch):
    monkeypatch.setattr(acceptance, "CHUNK", 2)
    shorten_patience(app)
    with app.app_context():
        same = db.session.get(Phone, phone.id)

        def hold():
            with locked(app.config["SQLALCHEMY_DATABASE_URI"]):
                held.set()
                until(lambda: refusals, what="a refusal by the locked database")

        held, refusals = threading.Event(), []
        monkeypatch.setattr(acceptance.time, "sleep", refusals.append)
        holder = threading.Thread(target=hold)

        def lines():
            for line, number in enumerate(numbers(6), start=1):
                if line == 4:
                    holder.start()
                    held.wait()
                yield line, number

        report = acceptance.post_campaign(same, lines(), TEXT)
        holder.join()
    assert refusals
    assert (report.accepted, report.opted_out) == (6, [])
    assert counts(app, report.campaign_id) == {Status.QUEUED: 6}


# -- whose turn it is ------------------------------------------------------------------------------------


def turn(app, campaign_id, turns=None):
    with app.app_context(), transaction() as session:
        campaign = session.get(Campaign, campaign_id)
        if turns is not None:
            campaign.turn = turns
        return campaign.turn


@pytest.mark.parametrize("how", ["begins", "resumes", "is retried"])
def test_who_comes_late_is_level_with_those_under_way_on_the_account(app, phone, octopush, run_jobs, how):
    with app.app_context():
        other = factories.phone(name="École", number="+33639989999")
    assert other.account_id == phone.account_id
    first = accept(app, phone, numbers(3)).campaign_id
    late = accept(app, other, ["+33639980136"]).campaign_id
    if how == "is retried":
        with app.app_context(), transaction() as session:
            session.execute(update(Message).where(Message.campaign_id == late).values(status=Status.FAILED))
            session.get(Campaign, late).state = CampaignState.DONE
    elif how == "resumes":
        do(app, lifecycle.pause, late)
    turn(app, first, 100)
    turn(app, late, 0)
    if how == "begins":
        late = accept(app, other, numbers(2, start=8100), text="Une autre").campaign_id
        turn(app, first, 100)
        with app.app_context():
            assert db.session.get(Campaign, late).turn == 0  # level with the one that was at 0
        return
    do(app, {"resumes": lifecycle.resume, "is retried": lifecycle.retry_failed}[how], late)
    assert turn(app, late) == 100


def test_a_retry_does_not_resume_a_paused_campaign(app, phone, octopush, run_jobs):
    campaign_id = hold_back(app, phone, numbers(3))
    with app.app_context(), transaction() as session:
        one = session.scalar(select(Message).where(Message.campaign_id == campaign_id))
        one.status, one.unreported_at = Status.FAILED, now()
    do(app, lifecycle.retry_failed, campaign_id)
    assert state(app, campaign_id) is CampaignState.PAUSED
    run_jobs()
    assert octopush.requests == []
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Message.unreported_at.is_not(None))) == 0


def test_a_row_that_somebody_else_holds_is_left_for_later_and_holds_up_nobody(app, phone, octopush, run_jobs):
    held, free = post(app, phone, LEA, text="Tenu"), post(app, phone, BOB, text="Libre")
    with raw(app.config["SQLALCHEMY_DATABASE_URI"]) as other:
        if other.dialect.name == "postgresql":
            other.exec_driver_sql("BEGIN")
            other.exec_driver_sql(f"SELECT id FROM messages WHERE id = {held[0]} FOR UPDATE")
            run_jobs()
            assert [sms.number for sms in octopush.messages] == [BOB]
            assert message(app, held[0]).status is Status.QUEUED
            other.exec_driver_sql("ROLLBACK")
    ring(app)
    run_jobs()
    assert {message(app, sent).status for sent in held + free} == {Status.SENT}
