"""What was sent again keeps what it was part of before: late reports, costs, reasons."""

import sqlite3
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from raspisms import clock
from raspisms.adapters.base import Accepted, TemporaryError
from raspisms.campaigns import lifecycle, progress
from raspisms.clock import now
from raspisms.delivery_reports import giving_up
from raspisms.extensions import db
from raspisms.figures import days, prices
from raspisms.models import Contact, JournalEntry, Message, Phone, Status, Submission, Trial
from raspisms.receiving import journal
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import claim, dispatch, lease, outcome, unknown_outcomes
from raspisms.storage.transactions import transaction
from raspisms.web.filters import why
from tests.desk import (
    fresh,
    sent,
    written,
)
from tests.factories import LEA, LOGIN, let_time_pass, message, post, ring, sweep

PEOPLE = [f"+3363998{n:04}" for n in range(1000, 1004)]


@pytest.fixture
def desk(at_once, app, octopush, callbacks, run_jobs):
    octopush.switches.reports = False

    class Desk:
        def launch(self, *numbers, **more):
            campaign = sent(written(*numbers, text="infos", **more))
            self.work()
            return campaign

        def work(self):
            ring(app)
            run_jobs()
            db.session.rollback()
            db.session.expire_all()

        def report(self, ticket, status, *numbers):
            for number in numbers:
                body = {"message_id": ticket, "number": number, "status": status}
                assert callbacks.http.post(callbacks.status, json=body).status_code == 200

        def ticket(self):
            return octopush.messages[-1].ticket

        def statuses(self, campaign):
            db.session.rollback()
            return {status: n for status, n in lifecycle.counts(campaign.id).items() if n}

    return Desk()


def copies(octopush, number=LEA):
    return len([one for one in octopush.messages if one.number == number])


def test_a_late_delivery_stops_the_retry(desk, octopush):
    campaign = desk.launch(LEA)
    first = desk.ticket()
    desk.report(first, "NOT_DELIVERED", LEA)
    desk.work()
    lifecycle.retry_failed(campaign.id)
    desk.report(first, "DELIVERED", LEA)
    desk.work()
    assert copies(octopush) == 1
    assert desk.statuses(campaign) == {Status.DELIVERED: 1}
    assert "arrivé après tout" in db.session.scalar(select(Message)).events[-1].reason


def test_a_late_delivery_after_the_retry_has_left_is_the_truth(desk, octopush):
    campaign = desk.launch(LEA)
    first = desk.ticket()
    desk.report(first, "NOT_DELIVERED", LEA)
    desk.work()
    lifecycle.retry_failed(campaign.id)
    desk.work()
    second = desk.ticket()
    assert second != first
    desk.report(first, "DELIVERED", LEA)
    desk.report(second, "NOT_DELIVERED", LEA)
    desk.work()
    assert desk.statuses(campaign) == {Status.DELIVERED: 1}


def test_a_late_delivery_of_what_is_in_doubt_ends_the_doubt(desk, octopush, app):
    campaign = desk.launch(LEA)
    first = desk.ticket()
    desk.report(first, "NOT_DELIVERED", LEA)
    desk.work()
    octopush.faults.append("cut_before")
    lifecycle.retry_failed(campaign.id)
    desk.work()
    desk.report(first, "DELIVERED", LEA)
    desk.work()
    let_time_pass(app)
    desk.work()
    assert copies(octopush) == 1
    assert desk.statuses(campaign) == {Status.DELIVERED: 1}


def test_an_old_report_repeated_steals_no_ticket(desk, octopush, app):
    campaign = desk.launch(*PEOPLE)
    first = desk.ticket()
    desk.report(first, "NOT_DELIVERED", *PEOPLE)
    desk.work()
    octopush.faults.append("cut_after")
    lifecycle.retry_failed(campaign.id)
    desk.work()
    let_time_pass(app)
    desk.work()
    second = desk.ticket()
    desk.report(first, "NOT_DELIVERED", PEOPLE[0])
    desk.work()
    desk.report(second, "DELIVERED", *PEOPLE)
    desk.work()
    scheduler.tidy()
    assert desk.statuses(campaign) == {Status.DELIVERED: len(PEOPLE)}


def test_a_report_for_nobody_that_we_know_any_more_teaches_nothing(desk, octopush, app):
    """The ticket is known, its message is gone: another request without a ticket must not take it."""
    campaign = desk.launch(LEA)
    first = desk.ticket()
    with transaction() as session:
        session.execute(db.update(Message).values(status=Status.FAILED))
    octopush.faults.append("cut_after")
    lifecycle.retry_failed(campaign.id)
    with transaction() as session:
        session.execute(db.text("DELETE FROM earlier_attempts"))
    desk.work()
    let_time_pass(app)
    desk.work()
    desk.report(first, "DELIVERED", LEA)
    desk.work()
    assert [one.provider_id for one in db.session.scalars(select(Submission).order_by(Submission.id))] == [first, None]
    entry = db.session.scalar(select(JournalEntry))
    assert (entry.outcome, entry.body) == ("erased", b"")


def test_each_attempt_costs(desk, octopush):
    before = octopush.account(LOGIN).credit
    campaign = desk.launch(*PEOPLE)
    desk.report(desk.ticket(), "NOT_DELIVERED", *PEOPLE)
    desk.work()
    lifecycle.retry_failed(campaign.id)
    desk.work()
    spent = before - octopush.account(LOGIN).credit
    today = clock.today()
    assert spent > 0
    assert progress.of(fresh(campaign.id)).cost == spent
    assert days.by_day(today, today, None).cost == spent
    assert db.session.scalar(select(func.sum(Submission.cost))) == spent


def test_the_last_reason_is_the_one_that_counts(desk, octopush, app):
    campaign = desk.launch(LEA)
    desk.report(desk.ticket(), "BAD_DESTINATION", LEA)
    desk.work()
    with transaction() as session:
        session.execute(db.update(Contact).values(fault=None))
    lifecycle.retry_failed(campaign.id)
    desk.work()
    desk.report(desk.ticket(), "EXPIRED", LEA)
    desk.work()
    with app.test_request_context():
        assert "éteint" in why(db.session.scalar(select(Message)))


def test_a_retry_of_many_goes_on_where_it_was(desk, octopush, monkeypatch):
    monkeypatch.setattr(lifecycle, "INLINE_SECONDS", 0)
    octopush.account(LOGIN).credit = 1_000
    numbers = [f"+3363998{n:04}" for n in range(2000, 2300)]
    campaign = desk.launch(*numbers)
    desk.report(desk.ticket(), "NOT_DELIVERED", *numbers)
    desk.work()
    lifecycle.retry_failed(campaign.id)
    assert fresh(campaign.id).retry_position == 0
    desk.work()
    assert fresh(campaign.id).retry_position is None
    assert desk.statuses(campaign) == {Status.SENT: 300}
    assert all(copies(octopush, number) == 2 for number in numbers)


def test_a_cancelled_campaign_lets_nothing_leave_while_its_messages_are_still_told(desk, octopush, monkeypatch):
    monkeypatch.setattr(lifecycle, "INLINE_SECONDS", 0)
    campaign = written(*PEOPLE)
    campaign = sent(campaign)
    with transaction() as session:
        first = session.scalar(select(Message).order_by(Message.id))
        first.status = Status.FAILED
    lifecycle.cancel(campaign.id)
    with pytest.raises(lifecycle.Refused, match="en cours d’annulation"):
        lifecycle.retry_failed(campaign.id)
    desk.work()
    assert octopush.messages == []
    assert desk.statuses(campaign) == {Status.CANCELLED: len(PEOPLE) - 1, Status.FAILED: 1}
    lifecycle.retry_failed(campaign.id)
    desk.work()
    desk.work()
    assert [one.number for one in octopush.messages] == [PEOPLE[0]]
    assert Decimal(0) < db.session.scalar(select(func.sum(Submission.cost)))


def test_a_request_costs_what_its_messages_cost_whatever_came_before_its_answer(desk, octopush, app, phone):
    """The earlier request arrived after all while the retry was in the air: it is paid for all the same."""
    campaign = desk.launch(LEA)
    first = desk.ticket()
    desk.report(first, "NOT_DELIVERED", LEA)
    desk.work()
    lifecycle.retry_failed(campaign.id)
    assert lease.take(phone.account_id)
    claimed = claim.next_claim(phone.account_id, has_heard=True)
    desk.report(first, "DELIVERED", LEA)
    journal.import_inbox()
    journal.apply_new()
    outcome.record(claimed.submission_id, Accepted("late", cost=Decimal("0.045"), parts=1))
    db.session.rollback()
    spent = db.session.scalar(select(func.sum(Submission.cost)))
    assert db.session.scalar(select(func.sum(Message.cost))) == spent
    assert desk.statuses(campaign) == {Status.DELIVERED: 1}


def test_a_price_does_not_grow_when_messages_are_sent_again(desk, phone):
    desk.launch(*PEOPLE)
    before = prices.price_of(db.session.get(Phone, phone.id))
    desk.report(desk.ticket(), "NOT_DELIVERED", *PEOPLE[:3])
    desk.work()
    with transaction() as session:
        lifecycle.again(session, Message.status == Status.FAILED, lifecycle.RETRIED)
    assert prices.price_of(db.session.get(Phone, phone.id)) == before


def test_reports_that_waited_for_a_ticket_are_applied_when_another_report_tells_it(desk, octopush, app):
    octopush.faults.append("cut_after")
    campaign = desk.launch(*PEOPLE)
    ticket = desk.ticket()
    with transaction() as session:  # however slow this machine is: what follows comes while it is still in doubt
        session.execute(db.update(Submission).values(next_attempt_at=now() + timedelta(hours=1)))
    desk.report(ticket, "DELIVERED", *PEOPLE[1:])
    desk.report("of somebody else", "DELIVERED", PEOPLE[1])
    desk.work()
    let_time_pass(app)
    desk.work()
    assert Status.DELIVERED not in desk.statuses(campaign), "two tickets: nobody can tell"
    desk.report(ticket, "DELIVERED", PEOPLE[0])
    desk.work()
    assert desk.statuses(campaign) == {Status.DELIVERED: len(PEOPLE)}


def test_an_answer_is_kept_whatever_befalls_the_choice_of_the_next_request(app, phone, octopush, monkeypatch):
    octopush.switches.reports = False
    [first] = post(app, phone, LEA)
    post(app, phone, LEA, text="B")
    monkeypatch.setattr(dispatch, "_claim_or_none", lambda *_: 1 / 0)
    with app.app_context(), pytest.raises(ZeroDivisionError):
        dispatch.drain(phone.account_id)
    assert message(app, first).submission.provider_id == octopush.messages[0].ticket


def test_an_unreadable_inbox_is_something_that_waits(at_once, monkeypatch):
    def broken(_):
        raise sqlite3.DatabaseError("file is not a database")

    monkeypatch.setattr(type(journal.inbox()), "is_empty", broken)
    assert journal.has_waiting(db.session())


def test_a_retry_passes_no_trial_on_a_few(desk, octopush, app):
    campaign = desk.launch(*PEOPLE, trial=2)
    desk.report(desk.ticket(), "NOT_DELIVERED", *PEOPLE[:2])
    desk.work()
    lifecycle.retry_failed(campaign.id)
    desk.work()
    assert len(octopush.messages) == 2
    sweep(app)  # the verdict: of the few, none was tried yet
    desk.work()
    assert fresh(campaign.id).trial_state is Trial.WAITING
    assert len(octopush.messages) == 4


def test_a_delivery_that_came_while_the_second_request_was_in_the_air_stops_it_once_it_surely_did_not_leave(
    desk, octopush, app, phone
):
    """The ticket of the first was lost, a person sent it again, and the provider was too busy for that."""
    octopush.faults.append("cut_after")
    [sent] = post(app, phone, LEA)
    desk.work()
    with transaction() as session:
        giving_up.give_up(session, session.get_one(Message, sent).submission)
    unknown_outcomes.send_again(sent, None)
    let_time_pass(app)
    assert lease.take(phone.account_id)
    claimed = claim.next_claim(phone.account_id, has_heard=True)
    desk.report(desk.ticket(), "DELIVERED", LEA)
    journal.import_inbox()
    journal.apply_new()
    assert message(app, sent).status is Status.SENDING, "it may be the report of the one in the air"
    outcome.record(claimed.submission_id, TemporaryError("trop de demandes", http_status=429))
    let_time_pass(app)
    desk.work()
    assert message(app, sent).status is Status.DELIVERED
    assert copies(octopush) == 1
