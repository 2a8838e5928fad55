"""Campaigns that repeat: each one writes the next when it begins, and a series ends as one."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import clock
from ..clock import now
from ..extensions import db
from ..models import Campaign, CampaignState, Trial

REPEATS = ("daily", "weekly", "monthly")


def write_next(session: Session, campaign: Campaign) -> None:
    """The next one of a campaign that repeats: the same wish, its people computed anew when its day comes.

    Written once, when this one begins or is left out. Call inside a transaction.
    """
    if campaign.repeats not in REPEATS or campaign.starts_at is None or campaign.targets is None:
        return
    if session.scalar(select(Campaign.id).where(Campaign.repeat_of_id == campaign.id).limit(1)) is not None:
        return
    copied = ("phone_id", "user_id", "name", "text", "purpose", "hours", "tag", "trial", "targets", "repeats")
    first = _first_start(session, campaign)
    following = next_time(campaign.starts_at, campaign.repeats, first)
    while following <= now():  # what was missed while the machine was off is not made up for
        following = next_time(following, campaign.repeats, first)
    session.add(
        Campaign(
            **{name: getattr(campaign, name) for name in copied},
            state=CampaignState.SCHEDULED,
            trial_state=Trial.FIRST if campaign.trial else None,
            starts_at=following,
            expires_at=campaign.expires_at + (following - campaign.starts_at) if campaign.expires_at else None,
            repeat_of_id=campaign.id,
            series_id=campaign.series_id,
        )
    )


def _first_start(session: Session, campaign: Campaign) -> datetime | None:
    """When the first of a row of repetitions was meant to start: its day and its time are those of all."""
    first = session.get(Campaign, campaign.series_id) if campaign.series_id is not None else None
    return (first or campaign).starts_at


def next_time(moment: datetime, repeats: str, first: datetime | None = None) -> datetime:
    """The same time of day, a day, a week or a month later, on the clock of the wall: also across change-overs.

    Day of the month and time of day are those of `first`: neither a short month nor a skipped hour shifts the rest.
    """
    zone = clock.zone()
    local = moment.astimezone(zone).replace(tzinfo=None)
    meant = (first or moment).astimezone(zone)
    local = local.replace(hour=meant.hour, minute=meant.minute)
    if repeats == "monthly":
        year, month = divmod(local.year * 12 + local.month, 12)
        day = min(meant.day, calendar.monthrange(year, month + 1)[1])
        local = local.replace(year=year, month=month + 1, day=day)
    else:
        local += timedelta(days=7 if repeats == "weekly" else 1)
    return local.replace(tzinfo=zone).astimezone(moment.tzinfo)


def of_series(campaign: Campaign) -> list[Campaign]:
    """All of a series, the last one first; none for a campaign that stands alone."""
    if campaign.series_id is None:
        return []
    query = select(Campaign).where(Campaign.series_id == campaign.series_id)
    return list(db.session.scalars(query.order_by(Campaign.starts_at.desc(), Campaign.id.desc())))


def coming(campaign: Campaign, number: int = 3) -> list[datetime]:
    """The next times of its series after the one that is scheduled, or after itself."""
    row = of_series(campaign)
    last = next((one for one in row if one.state is CampaignState.SCHEDULED), None)
    if last is None or last.starts_at is None or last.repeats not in REPEATS:
        return []
    found, first = [last.starts_at], _first_start(db.session(), last)
    for _ in range(number):
        found.append(next_time(found[-1], last.repeats, first))
    return found[1:]


def to_come(session: Session, campaign: Campaign) -> list[Campaign]:
    """Those of its series that have not begun, itself left out. Call inside a transaction to change them."""
    if campaign.series_id is None:
        return []
    query = select(Campaign).where(
        Campaign.series_id == campaign.series_id,
        Campaign.id != campaign.id,
        Campaign.state == CampaignState.SCHEDULED,
    )
    return list(session.scalars(query))
