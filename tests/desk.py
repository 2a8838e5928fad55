"""Campaigns of the pages: written, looked at, launched."""

from __future__ import annotations

from raspisms.campaigns import drafts, launch
from raspisms.campaigns.targets import Targets
from raspisms.extensions import db
from raspisms.models import Campaign
from raspisms.scheduler import sweep as scheduler


def wish(*numbers, text="Bonjour", **more):
    targets = more.pop("targets", None) or Targets(numbers=[{"number": number} for number in numbers])
    return drafts.Wish(None, text, targets, **more)


def written(*numbers, **more):
    """A draft with its report."""
    campaign = drafts.save(None, wish(*numbers, **more), None)
    launch.work(campaign.id)
    return fresh(campaign.id)


def sent(campaign, *, may_override=False):
    """A draft that somebody sends, with its messages."""
    launch.send(campaign.id, campaign.revision, None, may_override=may_override)
    launch.work(campaign.id)
    scheduler.sweep()
    return fresh(campaign.id)


def fresh(campaign_id):
    return db.session.get(Campaign, campaign_id, populate_existing=True)
