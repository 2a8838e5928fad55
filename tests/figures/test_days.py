"""Figures by day: counted by the clock, and of this second while that is quick."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from raspisms import clock
from raspisms.clock import bounds, now, today
from raspisms.extensions import db
from raspisms.figures import days, replying
from raspisms.models import CountedDay, DayFigures, Direction, Message, Phone, Status, Submission
from raspisms.receiving import incoming
from raspisms.storage.transactions import transaction
from raspisms.web import attention
from tests import factories
from tests.factories import BOB, LEA, post


@pytest.fixture
def here(app, phone):
    with app.app_context():
        yield db.session.get(Phone, phone.id)
        db.session.rollback()


def becomes(message_id, status, days_ago=0, **values):
    moment = now() - timedelta(days=days_ago)
    with transaction() as session:
        session.execute(
            update(Message)
            .where(Message.id == message_id)
            .values(status=status, created_at=moment, figures_at=moment, **values)
        )


def paid(phone, cost, days_ago=0):
    """A request that a provider took."""
    moment = now() - timedelta(days=days_ago)
    return Submission(
        account_id=phone.account_id, phone_id=phone.id, text="x", purpose="information", lane=1, state="accepted",
        closed_at=moment, cost=cost,
    )  # fmt: skip


def test_a_day_is_counted_by_status_with_its_cost_and_its_delay(app, here, phone):
    ids = [*post(app, phone, LEA), *post(app, phone, BOB), *post(app, phone, BOB, text="2")]
    for number, seconds in zip(ids, (2, 4, 60), strict=True):
        becomes(
            number,
            Status.DELIVERED,
            sent_at=now(),
            delivered_at=now() + timedelta(seconds=seconds),
        )
    with transaction() as session:
        session.add(paid(phone, Decimal("0.18")))
    with transaction() as session:
        incoming.store(session, here, LEA, "Merci", now())
    today = clock.today()
    for _ in range(2):  # as it is counted while somebody looks, and as the clock keeps it
        found = days.by_day(today, today, None)
        assert found.days[today] == {Status.DELIVERED: 3}
        assert (found.cost, found.received) == (Decimal("0.18"), 1)
        assert timedelta(seconds=3.9) < found.delay < timedelta(seconds=4.1)
        assert found.delivery_rate == 1
        days.count(today)
        with transaction() as session:
            session.execute(update(CountedDay).values(seconds=1.0))
    assert days.counted_at() is not None


def test_counting_again_doubles_nothing_and_forgets_what_is_gone(app, here, phone):
    [one] = post(app, phone, LEA)
    for _ in range(3):
        days.count(clock.today())
    becomes(one, Status.DELIVERED)
    days.count(clock.today())
    rows = list(db.session.scalars(select(DayFigures)))
    assert [(row.status, row.number) for row in rows] == [(Status.DELIVERED, 1)]


def test_old_days_are_counted_once_and_recent_ones_again(app, here, phone):
    [old, recent] = [*post(app, phone, LEA), *post(app, phone, BOB)]
    becomes(old, Status.DELIVERED, days_ago=30)
    becomes(recent, Status.SENT, days_ago=3)
    for _ in range(3):
        days.count_due()
    counted = {row.day: row.counted_at for row in db.session.scalars(select(CountedDay))}
    thirty_ago = clock.today() - timedelta(days=30)
    assert thirty_ago in counted
    days.count_due()
    assert db.session.get(CountedDay, thirty_ago).counted_at == counted[thirty_ago]
    found = days.by_day(thirty_ago, clock.today(), None)
    assert sum(found.totals.values()) == 2


def test_a_phone_has_its_own_figures_and_a_month_its_cost(app, here, phone):
    factories.billed(phone, Decimal("0.06"))
    days.count(clock.today())
    today = clock.today()
    assert days.by_day(today, today, phone.id).parts == 1
    assert days.by_day(today, today, 99).parts == 0
    assert days.by_month(today.replace(day=1)) == {today.replace(day=1): Decimal("0.06")}


def test_the_credit_is_forecast_from_two_weeks(app, here, phone):
    for ago in range(1, 15):
        factories.billed(phone, Decimal("1"), days_ago=ago)
    for ago in range(1, 15):
        days.count(clock.today() - timedelta(days=ago))
    [forecast] = attention.attention().forecasts
    assert forecast.a_day == 1
    assert (forecast.days, forecast.is_short) == (10, False)
    with transaction() as session:
        session.execute(update(Phone).values(balance=Decimal("3")))
    [forecast] = attention.attention().forecasts
    assert (forecast.days, forecast.is_short) == (3, True)


def test_what_needs_somebody_is_named_with_its_cause(app, here, phone):
    assert attention.attention().is_calm
    [one, two] = post(app, phone, LEA, BOB)
    with transaction() as session:
        from raspisms.messages.history import add

        for message in session.scalars(select(Message).where(Message.id.in_([one, two]))):
            add(session, [message], Status.FAILED, reason="Le numéro n’existe pas.")
        incoming.store(session, here, LEA, "Allô ?", now())
    needs = attention.attention()
    assert not needs.is_calm
    assert (needs.failures, needs.unread, needs.waiting) == (2, 1, 1)
    assert [(cause.reason, cause.number) for cause in needs.causes] == [("Le numéro n’existe pas.", 2)]
    assert needs.oldest.number == LEA


def test_a_day_holds_what_happened_on_it(app, here, phone, octopush, run_jobs):
    """Written ten days ago, sent today: it is of today, and so is its cost."""
    octopush.switches.reports = False
    [one] = post(app, phone, LEA)
    with transaction() as session:
        session.get_one(Message, one).created_at -= timedelta(days=10)
    today = clock.today()
    waiting = days.by_day(today, today, None)
    assert (waiting.totals, waiting.cost, waiting.parts) == ({Status.QUEUED: 1}, 0, 0)
    run_jobs()
    db.session.rollback()
    db.session.expire_all()
    found = days.by_day(today, today, None)
    assert found.totals == {Status.SENT: 1}
    assert found.cost == db.session.get(Message, one).cost > 0
    past = days.by_day(today - timedelta(days=30), today - timedelta(days=1), None)
    assert (past.totals, past.cost) == ({}, 0)


def test_an_old_day_is_counted_again_when_something_of_it_changes(app, here, phone):
    from raspisms.messages.history import add

    one = factories.billed(phone, Decimal("0.06"), days_ago=20)
    with transaction() as session:
        session.get_one(Message, one).status = Status.SENT
    days.count_due()
    day = clock.today() - timedelta(days=20)
    assert days.by_day(day, day, None).totals == {Status.SENT: 1}
    with transaction() as session:
        add(session, [session.get_one(Message, one)], Status.DELIVERED)
        session.execute(update(CountedDay).values(counted_at=now() - timedelta(hours=2)))
    days.count_due()
    assert days.by_day(day, day, None).totals == {Status.DELIVERED: 1}


def test_a_clock_that_was_ahead_leaves_no_day_uncounted(app, here, phone):
    days.count(clock.today())
    with transaction() as session:
        counted = session.get_one(CountedDay, clock.today())
        counted.counted_at, counted.seconds = now() + timedelta(days=400), 1.0
    [one] = post(app, phone, LEA)
    becomes(one, Status.SENT)
    days.count_due()
    assert days.by_day(clock.today(), clock.today(), None).totals == {Status.SENT: 1}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 7),
            st.sampled_from(["taken", "taken", "no cost", "before", "refused", "cut", "failed"]),
            st.decimals(0, 5, places=6),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_messages_requests_and_days_add_up_to_what_the_provider_said(app, here, phone, requests):
    from raspisms.adapters.base import Accepted, AmbiguousError, RefusedError
    from raspisms.campaigns.lifecycle import again
    from raspisms.models import Account
    from raspisms.sending import claim, lease, outcome

    for model in ("earlier_attempts", "message_events", "messages", "submissions", "restorations", "conversations"):
        with transaction() as session:
            session.execute(db.text(f"DELETE FROM {model}"))
    said = Decimal(0)
    for turn, (size, kind, cost) in enumerate(requests):
        numbers = [f"+336{turn:02}{n:06}" for n in range(size)]
        post(app, phone, *numbers, text=f"{turn}")
        with transaction() as session:
            session.execute(update(Account).values(not_before=None, by_hand_not_before=None))
            session.execute(update(Submission).values(next_attempt_at=now()))
        assert lease.take(phone.account_id)
        claimed = claim.next_claim(phone.account_id)
        answer = {
            "no cost": Accepted(f"t{turn}"),
            "before": Accepted(None, taken_before=True),
            "refused": RefusedError("non"),
            "cut": AmbiguousError("?"),
        }.get(kind, Accepted(f"t{turn}", cost=cost))
        outcome.record(claimed.submission_id, answer)
        lease.release(phone.account_id)
        said += cost if kind in {"taken", "failed"} else 0
        if kind == "failed":  # it is sent again, and its first attempt has cost all the same
            with transaction() as session:
                mine = Message.submission_id == claimed.submission_id
                session.execute(update(Message).where(mine).values(status=Status.FAILED))
                again(session, mine, "x")
    db.session.rollback()
    db.session.expire_all()
    messages, requested = (db.session.scalar(select(func.sum(model.cost))) or 0 for model in (Message, Submission))
    estimated = db.session.scalar(select(func.sum(Submission.cost)).where(Submission.is_estimated)) or 0
    today = clock.today()
    found = days.by_day(today, today, None)
    assert messages == requested == found.cost == said + estimated
    assert found.estimated == estimated


def test_hours_are_those_of_the_period_and_of_what_came_in(app, here, phone):
    assert replying.by_hour(today(), today(), None) == [0] * 24
    noon = bounds(today() - timedelta(days=3))[0] + timedelta(hours=12)
    with transaction() as session:
        for days_ago, direction in ((0, Direction.IN), (0, Direction.IN), (0, Direction.OUT), (9, Direction.IN)):
            at = noon - timedelta(days=days_ago)
            status = Status.RECEIVED if direction is Direction.IN else Status.SENT
            session.add(
                Message(
                    phone_id=phone.id,
                    number=LEA,
                    text="Oui",
                    direction=direction,
                    status=status,
                    parts=1,
                    created_at=at,
                )
            )
    of_day = today() - timedelta(days=3)
    found = replying.by_hour(of_day, today(), None)
    assert sum(found) == 2
    assert max(found) == 2
    assert sum(replying.by_hour(of_day - timedelta(days=9), today(), phone.id)) == 3
    assert sum(replying.by_hour(of_day, today(), phone.id + 1)) == 0
