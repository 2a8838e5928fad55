"""A series is one thing: it is written when it comes round, and ends as one."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from raspisms.campaigns import launch, lifecycle, repetition
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Campaign, CampaignState
from raspisms.scheduler import sweep as scheduler
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from tests.desk import (
    fresh,
    sent,
    written,
)
from tests.factories import LEA, csrf, ring


def following(campaign):
    return db.session.scalar(select(Campaign).where(Campaign.repeat_of_id == campaign.id))


def begin(campaign):
    with transaction() as session:
        session.get_one(Campaign, campaign.id).starts_at = now() - timedelta(seconds=1)
    launch.work(campaign.id)
    scheduler.sweep()
    return fresh(campaign.id)


def weekly():
    return sent(written(LEA, text="r", repeats="weekly", starts_at=now()))


def test_the_next_is_written_when_the_present_one_begins(at_once):
    preferences.save(preferences.Choices(undo_seconds=60))
    campaign = written(LEA, repeats="weekly")
    launch.send(campaign.id, campaign.revision, None, may_override=False)
    launch.work(campaign.id)
    assert following(campaign) is None
    begin(campaign)
    assert following(campaign).series_id == campaign.id
    begin(campaign)
    assert len(repetition.of_series(campaign)) == 2, "once"


def test_called_back_in_its_undo_window_nothing_follows(at_once):
    preferences.save(preferences.Choices(undo_seconds=60))
    campaign = written(LEA, repeats="weekly")
    launch.send(campaign.id, campaign.revision, None, may_override=False)
    launch.work(campaign.id)
    lifecycle.cancel(campaign.id)
    begin(campaign)
    assert following(campaign) is None


@pytest.mark.parametrize("minutes", [9, 11], ids=["accepted already", "not yet"])
@pytest.mark.parametrize("only_this", [False, True])
def test_cancelling_means_the_same_whenever(at_once, minutes, only_this):
    second = following(weekly())
    with transaction() as session:
        session.get_one(Campaign, second.id).starts_at = now() + timedelta(minutes=minutes)
    if second.id in launch.unfinished():
        launch.work(second.id)
    lifecycle.cancel(second.id, only_this=only_this)
    third = following(second)
    assert (third is not None) is only_this
    assert fresh(second.id).state is CampaignState.CANCELLED
    if third is not None:
        assert third.state is CampaignState.SCHEDULED


@pytest.mark.parametrize("only_this", [False, True])
def test_cancelling_one_that_has_begun_ends_the_series_unless_it_is_only_that_one(at_once, only_this):
    first = weekly()
    second = following(first)
    lifecycle.cancel(first.id, only_this=only_this)
    expected = CampaignState.SCHEDULED if only_this else CampaignState.CANCELLED
    assert fresh(second.id).state is expected


def test_a_series_is_stopped_from_any_of_its_pages(at_once, app, client, run_jobs):
    first = weekly()
    ring(app)
    run_jobs()
    db.session.rollback()
    assert fresh(first.id).state is CampaignState.DONE
    page = client.get(f"/campaigns/{first.id}").text
    assert "chaque semaine" in page
    assert "Arrêter la série" in page
    token = csrf(client, f"/campaigns/{first.id}")
    client.post(f"/campaigns/{first.id}/cancel", data={"csrf_token": token})
    assert fresh(following(first).id).state is CampaignState.CANCELLED
    assert "Arrêter la série" not in client.get(f"/campaigns/{first.id}").text
    with pytest.raises(lifecycle.Refused):
        lifecycle.cancel(first.id)


def test_the_page_asks_this_once_or_the_whole_series(at_once, client):
    second = following(weekly())
    page = client.get(f"/campaigns/{second.id}").text
    assert "Annuler cette fois" in page
    assert "Annuler toute la série" in page
    client.post(f"/campaigns/{second.id}/skip", data={"csrf_token": csrf(client, f"/campaigns/{second.id}")})
    assert (fresh(second.id).state, following(second).state) == (CampaignState.CANCELLED, CampaignState.SCHEDULED)
