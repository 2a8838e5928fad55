"""From "send" to messages: once, what the report showed, at its hour."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from raspisms.campaigns import drafts, fates, launch, lifecycle, repetition, review, trial
from raspisms.campaigns.targets import Targets
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.messages import hours
from raspisms.models import (
    Account,
    AuditEntry,
    Campaign,
    CampaignState,
    Contact,
    Fate,
    Hours,
    Message,
    Recipient,
    Status,
    Submission,
    Trial,
)
from raspisms.people import contacts, groups, opt_outs
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import claim
from raspisms.storage.stride import Stride
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from tests.desk import fresh, sent, wish, written
from tests.factories import BOB, LEA

PARIS = ZoneInfo("Europe/Paris")
MANY = [f"+3363998{n:04}" for n in range(10)]
CONSENTING = Targets(numbers=[{"number": LEA}], consent="bulletin")


def messages():
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def test_a_campaign_leaves_as_its_report_showed_it(at_once, octopush, run_jobs):
    text = "{% if contact.genre == 'F' %}Madame{% else %}Monsieur{% endif %}"
    people = [{"number": LEA, "data": {"genre": "F"}}, {"number": BOB}, {"number": "12"}]
    campaign = sent(written(text=text, targets=Targets(numbers=people), tag="vœux"))
    assert campaign.state is CampaignState.SENDING
    assert [(m.number, m.text, m.tag) for m in messages()] == [(LEA, "Madame", "vœux"), (BOB, "Monsieur", "vœux")]
    run_jobs()
    assert sorted((sms.number, sms.text) for sms in octopush.messages) == [(LEA, "Madame"), (BOB, "Monsieur")]


def test_only_what_was_read_is_sent_and_only_once(at_once):
    campaign = written(LEA)
    old = campaign.revision
    drafts.save(campaign.id, wish(BOB), None)
    with pytest.raises(lifecycle.Refused):  # its report is not there yet
        launch.send(campaign.id, old, None, may_override=True)
    launch.work(campaign.id)
    with pytest.raises(lifecycle.Refused):  # it was another report that somebody read
        launch.send(campaign.id, old, None, may_override=True)
    sent(fresh(campaign.id))
    with pytest.raises(lifecycle.Refused):
        launch.send(campaign.id, fresh(campaign.id).revision, None, may_override=True)
    launch.work(campaign.id)
    launch.work(campaign.id)
    assert [m.number for m in messages()] == [BOB]


def test_an_acceptance_cut_short_goes_on_where_it_was(at_once):
    campaign = written(*MANY)
    launch.send(campaign.id, campaign.revision, None, may_override=False)
    assert launch._accept(campaign.id, Stride(3))
    assert len(messages()) == 3
    assert not claim.has_waiting(1), "nothing leaves before all is there"
    assert launch.unfinished() == [campaign.id]
    launch.work(campaign.id)
    assert [m.number for m in messages()] == MANY
    assert fresh(campaign.id).state is CampaignState.SENDING


def test_who_says_stop_after_the_report_gets_nothing(at_once):
    campaign = written(LEA, BOB)
    opt_outs.add_many(LEA, None)
    sent(campaign)
    assert [m.number for m in messages()] == [BOB]
    rows = db.session.scalars(select(Recipient.fate).order_by(Recipient.id))
    assert list(rows) == [Fate.OPTED_OUT, Fate.KEPT], "and the report says so"


def test_a_campaign_can_be_called_back(at_once):
    preferences.save(preferences.Choices(undo_seconds=60))
    campaign = sent(written(LEA))
    assert campaign.state is CampaignState.SCHEDULED
    assert not claim.has_waiting(1)
    lifecycle.cancel(campaign.id)
    with transaction() as session:
        session.execute(update(Campaign).values(starts_at=now()))
    scheduler.sweep()
    assert [m.status for m in messages()] == [Status.CANCELLED]


def test_a_campaign_waits_for_its_hour(at_once):
    later = now() + timedelta(hours=2)
    campaign = sent(written(LEA, starts_at=later))
    assert (campaign.state, campaign.accepted_at is not None) == (CampaignState.SCHEDULED, True)
    scheduler.tidy()
    assert fresh(campaign.id).state is CampaignState.SCHEDULED, "it was not interrupted, it waits"
    with transaction() as session:
        session.execute(update(Campaign).values(starts_at=now()))
    scheduler.sweep()
    assert fresh(campaign.id).state is CampaignState.SENDING


# -- hours ------------------------------------------------------------------------------------------------


def paris(*when):
    return datetime(*when, tzinfo=PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    ("profile", "region", "moment", "opens"),
    [
        (Hours.FREE, "", paris(2026, 12, 25, 3), None),
        (Hours.STRICT, "", paris(2026, 11, 23, 12), None),
        (Hours.STRICT, "", paris(2026, 11, 23, 20, 30), paris(2026, 11, 24, 8)),
        (Hours.AF2M, "", paris(2026, 11, 23, 21, 29), None),
        (Hours.AF2M, "", paris(2026, 11, 23, 21, 30), paris(2026, 11, 24, 8)),
        (Hours.STRICT, "", paris(2026, 11, 21, 21), paris(2026, 11, 23, 8)),  # Saturday night
        (Hours.STRICT, "", paris(2026, 12, 25, 12), paris(2026, 12, 26, 8)),  # Christmas
        (Hours.STRICT, "Alsace-Moselle", paris(2026, 12, 25, 12), paris(2026, 12, 28, 8)),  # the 26th too, then Sunday
        (Hours.STRICT, "", paris(2026, 4, 3, 12), None),  # Good Friday
        (Hours.STRICT, "Alsace-Moselle", paris(2026, 4, 3, 12), paris(2026, 4, 4, 8)),
        (Hours.STRICT, "RE", paris(2026, 12, 20, 12), paris(2026, 12, 21, 8)),  # abolition of slavery, and a Sunday
        (Hours.STRICT, "GP", paris(2026, 5, 27, 12), paris(2026, 5, 28, 8)),
        (Hours.STRICT, "", paris(2026, 3, 28, 23), paris(2026, 3, 30, 8)),  # over the night that loses an hour
        (Hours.STRICT, "", paris(2026, 10, 24, 23), paris(2026, 10, 26, 8)),  # over the night that gains one
    ],
)
def test_hours_know_sundays_holidays_and_change_overs(at_once, profile, region, moment, opens):
    assert hours.opening(profile, moment, region) == opens


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), st.sampled_from([Hours.STRICT, Hours.AF2M]))
def test_an_opening_is_open(moment, profile):
    from flask import Flask

    app = Flask("hours")
    app.config["TIMEZONE"] = "Europe/Paris"
    with app.app_context():
        opens = hours.opening(profile, moment.replace(tzinfo=UTC), "")
        if opens is not None:
            assert opens > moment.replace(tzinfo=UTC)
            assert hours.opening(profile, opens, "") is None


def test_an_advertisement_outside_of_its_hours_waits_and_says_until_when(at_once, monkeypatch):
    opens = now() + timedelta(hours=3)
    campaign = sent(written(text="Soldes STOP au 36180", targets=CONSENTING, purpose="advertising", hours=Hours.STRICT))
    monkeypatch.setattr(hours, "opening", lambda profile, *_: opens if profile is Hours.STRICT else None)
    scheduler.sweep()
    assert not claim.has_waiting(1)
    assert abs(fresh(campaign.id).waits_until - opens) < timedelta(seconds=1)
    monkeypatch.setattr(hours, "opening", lambda *_: None)
    assert claim.has_waiting(1)


def test_widening_the_hours_of_an_advertisement_is_a_right_and_is_written_down(at_once):
    campaign = written(text="Soldes STOP au 36180", targets=CONSENTING, purpose="advertising", hours=Hours.FREE)
    with pytest.raises(lifecycle.Refused, match="droit"):
        launch.send(campaign.id, campaign.revision, None, may_override=False)
    launch.send(campaign.id, campaign.revision, None, may_override=True)
    actions = [entry.action for entry in db.session.scalars(select(AuditEntry))]
    assert actions[-2:] == ["hours overridden", "campaign launched"]


# -- the first few ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "state", "trial_state"),
    [
        ([Status.DELIVERED] * 3, CampaignState.SENDING, Trial.PASSED),
        ([Status.FAILED, Status.DELIVERED, Status.DELIVERED], CampaignState.PAUSED, Trial.FAILED),
        ([Status.SENT, Status.DELIVERED, Status.DELIVERED], CampaignState.SENDING, Trial.WAITING),
    ],
)
def test_a_few_try_it_first(at_once, octopush, run_jobs, outcomes, state, trial_state):
    campaign = sent(written(*MANY, trial=3))
    run_jobs()
    scheduler.sweep()
    assert len(octopush.messages) == 3
    with transaction() as session:
        first = session.scalars(select(Message).where(Message.status == Status.SENT).order_by(Message.id))
        for message, outcome in zip(first, outcomes, strict=True):
            message.status = outcome
    scheduler.sweep()
    found = fresh(campaign.id)
    assert (found.state, found.trial_state) == (state, trial_state)
    run_jobs()
    assert len(octopush.messages) == (10 if trial_state is Trial.PASSED else 3)
    if state is CampaignState.PAUSED:
        assert "échoué" in found.pause_reason
        lifecycle.resume(campaign.id)
        run_jobs()
        assert len(octopush.messages) == 10


def test_reports_that_never_come_stop_it_after_ten_minutes(at_once, octopush, run_jobs):
    campaign = sent(written(*MANY, trial=3))
    run_jobs()
    with transaction() as session:
        session.execute(update(Campaign).values(trial_at=now() - trial.PATIENCE - timedelta(seconds=1)))
    scheduler.sweep()
    assert fresh(campaign.id).state is CampaignState.PAUSED
    assert "callback" in fresh(campaign.id).pause_reason


# -- again and again -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "repeats", "following"),
    [
        (paris(2026, 3, 28, 9), "daily", paris(2026, 3, 29, 9)),  # the night that loses an hour
        (paris(2026, 10, 24, 9), "daily", paris(2026, 10, 25, 9)),  # the night that gains one
        (paris(2026, 11, 23, 9), "weekly", paris(2026, 11, 30, 9)),
        (paris(2026, 1, 31, 9), "monthly", paris(2026, 2, 28, 9)),
        (paris(2026, 12, 15, 9), "monthly", paris(2027, 1, 15, 9)),
    ],
)
def test_the_next_time_is_the_same_on_the_wall(at_once, first, repeats, following):
    assert repetition.next_time(first, repeats) == following


def test_a_short_month_and_a_skipped_hour_shift_nothing_after_them(at_once):
    first = paris(2026, 1, 31, 9)
    february = repetition.next_time(first, "monthly", first)
    assert (february, repetition.next_time(february, "monthly", first)) == (
        paris(2026, 2, 28, 9),
        paris(2026, 3, 31, 9),
    )
    early = paris(2026, 3, 28, 2, 30)
    skipped = repetition.next_time(early, "daily", early)
    assert repetition.next_time(skipped, "daily", early) == paris(2026, 3, 30, 2, 30)


def test_a_campaign_that_repeats_writes_the_next_one_with_the_people_of_that_day(at_once):
    first = sent(written(LEA, repeats="daily"))
    upcoming = db.session.scalar(select(Campaign).where(Campaign.repeat_of_id == first.id))
    assert (upcoming.state, upcoming.repeats) == (CampaignState.SCHEDULED, "daily")
    assert launch.unfinished() == [], "its report waits for its day"
    with transaction() as session:
        session.execute(update(Campaign).where(Campaign.id == upcoming.id).values(starts_at=now()))
    assert launch.unfinished() == [upcoming.id]
    launch.work(upcoming.id)
    assert fresh(upcoming.id).state is CampaignState.SENDING
    assert [m.number for m in messages()] == [LEA, LEA]
    assert review.summary(fresh(upcoming.id)).kept == 1


def test_a_copy_says_the_same_to_the_same_people(at_once):
    first = sent(written(LEA, BOB, text="Bonjour", tag="x"))
    copy = drafts.duplicate(first.id, None)
    assert (copy.state, copy.text, copy.tag) == (CampaignState.DRAFT, "Bonjour", "x")
    launch.work(copy.id)
    assert review.summary(fresh(copy.id)).kept == 2


def test_a_repetition_that_cannot_be_sent_says_why_and_the_next_one_is_tried(at_once):
    first = sent(written(LEA, repeats="daily"))
    upcoming = db.session.scalar(select(Campaign).where(Campaign.repeat_of_id == first.id))
    opt_outs.add_many(LEA, None)
    with transaction() as session:
        session.execute(update(Campaign).where(Campaign.id == upcoming.id).values(starts_at=now()))
    launch.work(upcoming.id)
    found = fresh(upcoming.id)
    assert found.state is CampaignState.CANCELLED
    assert "Personne" in found.pause_reason
    assert db.session.scalar(select(Campaign.state).where(Campaign.repeat_of_id == upcoming.id)) == "scheduled"


def test_the_first_few_that_went_back_to_the_queue_are_tried_again(at_once, octopush, run_jobs):
    campaign = sent(written(*MANY, trial=3))
    run_jobs()
    with transaction() as session:
        session.execute(update(Message).where(Message.status == Status.SENT).values(status=Status.QUEUED))
    scheduler.sweep()
    assert fresh(campaign.id).trial_state is Trial.FIRST
    scheduler.sweep()
    run_jobs()
    assert fresh(campaign.id).trial_state is Trial.WAITING


def test_a_request_that_is_repeated_waits_for_the_hours_too(at_once, monkeypatch, octopush, run_jobs):
    octopush.faults.append("429")
    campaign = sent(written(text="Soldes STOP au 36180", targets=CONSENTING, purpose="advertising", hours=Hours.STRICT))
    run_jobs()
    monkeypatch.setattr(hours, "opening", lambda profile, *_: now() + timedelta(hours=9))
    with transaction() as session:
        session.execute(update(Submission).values(next_attempt_at=now() - timedelta(seconds=1)))
        session.execute(update(Account).values(not_before=None))
    scheduler.sweep()
    run_jobs()
    assert octopush.messages == []
    assert [m.status for m in messages()] == [Status.QUEUED]
    assert fresh(campaign.id).state is CampaignState.SENDING


def test_a_repetition_writes_to_everybody_of_its_day(at_once):
    people = Targets(groups=[groups.save(None, "Tous", rule="1 == 1").id])
    contacts.save(None, None, "Léa", LEA, {})
    first = sent(written(targets=people, repeats="daily"))
    for at, number in enumerate(MANY):
        contacts.save(None, None, f"P{at}", number, {})
    upcoming = db.session.scalar(select(Campaign).where(Campaign.repeat_of_id == first.id))
    with transaction() as session:
        session.execute(update(Campaign).where(Campaign.id == upcoming.id).values(starts_at=now() - timedelta(days=3)))
    launch.work(upcoming.id)
    assert [m.number for m in messages()] == [LEA, LEA, *MANY]
    following = db.session.scalar(select(Campaign.starts_at).where(Campaign.repeat_of_id == upcoming.id))
    assert following > now(), "what was missed is not made up for"


@pytest.mark.parametrize("change", ["consent", "deleted", "number", "fault"])
def test_what_changed_since_the_report_counts(at_once, change):
    lea = contacts.save(None, None, "Léa", LEA, {}, consent="oui")
    contacts.save(None, None, "Bob", BOB, {}, consent="oui")
    people = Targets(groups=[groups.save(None, "Tous", rule="1 == 1").id])
    campaign = written(text="Soldes STOP au 36180", targets=people, purpose="advertising", hours=Hours.FREE)
    if change == "deleted":
        contacts.delete_some(Contact.id == lea.id)
    elif change == "fault":
        with transaction() as session:
            session.execute(update(Contact).where(Contact.id == lea.id).values(fault="…"))
    else:
        number = "+33639987009" if change == "number" else LEA
        contacts.save(lea.id, lea.version, "Léa", number, {}, consent="" if change == "consent" else "oui")
    sent(campaign, may_override=True)
    assert [m.number for m in messages()] == [BOB]


def test_the_first_few_are_not_passed_over_by_a_pause(at_once, octopush, run_jobs):
    campaign = sent(written(*MANY, trial=3))
    lifecycle.pause(campaign.id)
    lifecycle.resume(campaign.id)
    run_jobs()
    assert len(octopush.messages) == 3


def test_a_report_that_fails_says_so_and_is_not_tried_for_ever(at_once, monkeypatch):
    campaign = drafts.save(None, wish(LEA), None)
    monkeypatch.setattr(fates.Fates, "rows", lambda *_: 1 / 0)
    launch.work(campaign.id)
    assert launch.unfinished() == []
    assert any("échoué" in problem for problem in review.summary(fresh(campaign.id)).problems)
