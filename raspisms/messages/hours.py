"""When SMS may leave: by profile, day and public holiday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import clock
from ..clock import now
from ..models import Campaign, CampaignState, Hours
from ..sms.purposes import Purpose
from ..team import preferences
from ..team.public_holidays import is_holiday

# Longer than any run of closed days.
LOOK_AHEAD_DAYS = 14


@dataclass(frozen=True)
class Window:
    """What a day is open for; Sundays and holidays are closed."""

    opens: time
    closes: time


WINDOWS = {
    Hours.STRICT: Window(time(8), time(20)),
    Hours.AF2M: Window(time(8), time(21, 30)),
}


def usual(purpose: Purpose) -> Hours:
    """The hours that a purpose has unless somebody with the right to says otherwise (docs/rules.md)."""
    return Hours.STRICT if purpose == Purpose.ADVERTISING else Hours.FREE


def opening(profile: Hours, moment: datetime, region: str | None = None) -> datetime | None:
    """When the next window opens, in UTC; None when `moment` is inside of one."""
    if profile is Hours.FREE:
        return None
    region = preferences.current().region if region is None else region
    zone = clock.zone()
    local, window = moment.astimezone(zone), WINDOWS[profile]
    for ahead in range(LOOK_AHEAD_DAYS):
        day = local.date() + timedelta(days=ahead)
        if day.weekday() == 6 or is_holiday(day, region):
            continue
        opens = datetime.combine(day, window.opens, zone)
        closes = datetime.combine(day, window.closes, zone)
        if moment < opens:
            return opens.astimezone(moment.tzinfo)
        if moment < closes:
            return None
    return moment + timedelta(days=1)  # no calendar closes a fortnight


def has_any(session: Session) -> bool:
    """Whether a campaign under way has hours at all."""
    query = select(Campaign.id).where(Campaign.state == CampaignState.SENDING, Campaign.hours != Hours.FREE)
    return session.scalar(query.limit(1)) is not None


def closed_now(session: Session) -> list[int]:
    """Campaigns under way that must wait for their hours."""
    moment = now()
    found = session.execute(
        select(Campaign.id, Campaign.hours).where(Campaign.state == CampaignState.SENDING, Campaign.hours != Hours.FREE)
    ).all()
    if not found:
        return []
    region = preferences.current().region
    return [campaign_id for campaign_id, profile in found if opening(profile, moment, region) is not None]


def mark(session: Session) -> None:
    """Write down until when the campaigns under way wait, for people to read. Call inside a transaction."""
    waiting = session.scalars(select(Campaign).where(Campaign.state == CampaignState.SENDING))
    region = preferences.current().region
    for campaign in waiting:
        campaign.waits_until = opening(campaign.hours, now(), region)
