"""The word that lets a campaign go: its report becomes messages, and they leave at their hour."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from .. import audit, preferences
from ..database import now, transaction
from ..extensions import db
from ..models import Campaign, CampaignState, Canary, Direction, Fate, Hours, Lane, Message, Recipient, Status
from ..models.message import batch_key
from ..receiving import optouts
from ..sending import campaigns, hours
from ..sending.acceptance import first_events, last_message
from ..words import N_
from . import drafts, report

CHUNK = 2_000
# A repetition's report is made this long before its hour, with the people of that day.
LEAD = timedelta(minutes=10)
REPEATS = ("daily", "weekly", "monthly")

NOT_READY = N_("Le compte rendu n’est pas encore complet : attendez un instant.")
CHANGED = N_("La campagne a changé depuis ce compte rendu : relisez-le.")
NEEDS_RIGHT = N_("Envoyer de la publicité à toute heure demande le droit d’un administrateur.")


def send(campaign_id: int, revision: int, user_id: int | None, *, may_override: bool) -> Campaign:
    """Somebody read the report and says "send". Raises campaigns.Refused.

    It leaves after the undo window, or at its hour. Widening the hours of an advertisement is a right,
    and is written down.
    """
    with transaction() as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None or campaign.state is not CampaignState.DRAFT:
            raise drafts.Refused(drafts.NOT_A_DRAFT)
        if campaign.prepared_at is None:
            raise campaigns.Refused(NOT_READY)
        if campaign.revision != revision:
            raise campaigns.Refused(CHANGED)
        problems = report.summary(campaign).problems
        if problems:
            raise campaigns.Refused(problems[0])
        if campaign.hours is Hours.FREE and hours.usual(campaign.purpose) is not Hours.FREE:
            if not may_override:
                raise campaigns.Refused(NEEDS_RIGHT)
            audit.record(session, user_id, "hours overridden", f"campaign {campaign_id}")
        undo = timedelta(seconds=preferences.current().undo_seconds)
        campaign.starts_at = max(campaign.starts_at or now(), now() + undo)
        campaign.state, campaign.position = CampaignState.SCHEDULED, 0
        audit.record(session, user_id, "campaign launched", f"campaign {campaign_id}")
    drafts.ring(campaign_id)
    return campaign


def work(campaign_id: int, between: Callable[[], None] = lambda: None) -> None:
    """Go on with whatever a campaign needs: its report, then its messages."""
    campaign = drafts.get(campaign_id)
    if campaign is None or campaign.targets is None:
        return
    if campaign.prepared_at is None and (not report.compute(campaign_id, between) or _gave_up(campaign_id)):
        return
    while _accept(campaign_id):
        between()
    begin_due()


def _gave_up(campaign_id: int) -> bool:
    """Whether a repetition's report says that it cannot be sent: nobody reads it before, so it says so after."""
    with transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        problems = report.summary(campaign).problems
        if campaign.state is not CampaignState.SCHEDULED or not problems:
            return False
        campaign.state, campaign.pause_reason, campaign.finished_at = CampaignState.CANCELLED, problems[0], now()
        _write_next(session, campaign)
    return True


def unfinished() -> list[int]:
    """Campaigns whose report or acceptance is under way, or due."""
    soon = now() + LEAD
    rows = db.session.execute(
        select(Campaign.id, Campaign.state, Campaign.starts_at, Campaign.repeat_of_id, Campaign.text).where(
            Campaign.targets.is_not(None),
            Campaign.state.in_((CampaignState.DRAFT, CampaignState.SCHEDULED)),
            Campaign.accepted_at.is_(None),
            (Campaign.prepared_at.is_(None)) | (Campaign.state == CampaignState.SCHEDULED),
        )
    )
    return [
        row.id
        for row in rows
        if (row.state is CampaignState.DRAFT and row.text)
        or (
            row.state is CampaignState.SCHEDULED
            and (row.repeat_of_id is None or row.starts_at is None or row.starts_at <= soon)
        )
    ]


def _accept(campaign_id: int) -> bool:
    """Make messages of the next people of the report; True when there may be more."""
    with transaction() as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None or campaign.state is not CampaignState.SCHEDULED or campaign.accepted_at is not None:
            return False
        found = list(
            session.scalars(
                select(Recipient)
                .where(
                    Recipient.campaign_id == campaign_id,
                    Recipient.fate == Fate.KEPT,
                    Recipient.id > campaign.position,
                )
                .order_by(Recipient.id)
                .limit(CHUNK)
            )
        )
        if found:
            _store(session, campaign, found)
            campaign.position = found[-1].id
        else:
            campaign.accepted_at = now()
            _write_next(session, campaign)
    return bool(found)


def _store(session: Session, campaign: Campaign, found: list[Recipient]) -> None:
    silent = optouts.silent(session, [one.number for one in found])
    if silent:
        late = [one.id for one in found if one.number in silent]
        session.execute(update(Recipient).where(Recipient.id.in_(late)).values(fate=Fate.OPTED_OUT))
    shared = report.outgoing_text(campaign)
    row = {
        "direction": Direction.OUT,
        "phone_id": campaign.phone_id,
        "status": Status.QUEUED,
        "lane": Lane.BULK,
        "purpose": campaign.purpose,
        "campaign_id": campaign.id,
        "user_id": campaign.user_id,
        "tag": campaign.tag,
        "expires_at": campaign.expires_at,
        "created_at": now(),
    }
    keys: dict[str, str] = {}
    rows = []
    for one in found:
        if one.number in silent:
            continue
        text = one.text if one.text is not None else shared
        if text not in keys:
            keys[text] = batch_key(text, campaign.purpose, campaign.expires_at)
        rows.append(row | {"number": one.number, "text": text, "parts": one.parts, "batch_key": keys[text]})
    if rows:
        last = last_message(session)
        session.execute(insert(Message), rows)
        first_events(session, last, campaign.id, campaign.user_id)


def begin_due() -> float | None:
    """Let the campaigns leave whose hour has come; the seconds until the next one's."""
    waiting = select(Campaign.id, Campaign.starts_at).where(
        Campaign.state == CampaignState.SCHEDULED, Campaign.accepted_at.is_not(None)
    )
    next_due = None
    for campaign_id, starts_at in db.session.execute(waiting).all():
        remaining = (starts_at - now()).total_seconds() if starts_at else 0.0
        if remaining <= 0:
            campaigns.begin(campaign_id)
        else:
            next_due = min(remaining, next_due or remaining)
    return next_due


def _write_next(session: Session, campaign: Campaign) -> None:
    """The next one of a campaign that repeats: the same wish, its people computed anew when its day comes."""
    if campaign.repeats not in REPEATS or campaign.starts_at is None:
        return
    copied = ("phone_id", "user_id", "name", "text", "purpose", "hours", "tag", "canary", "targets", "repeats")
    session.add(
        Campaign(
            **{name: getattr(campaign, name) for name in copied},
            state=CampaignState.SCHEDULED,
            canary_state=Canary.FIRST if campaign.canary else None,
            starts_at=next_time(campaign.starts_at, campaign.repeats),
            expires_at=_shifted(campaign),
            repeat_of_id=campaign.id,
            revision=1,
        )
    )


def _shifted(campaign: Campaign) -> datetime | None:
    if campaign.expires_at is None or campaign.starts_at is None or campaign.repeats is None:
        return None
    return campaign.expires_at + (next_time(campaign.starts_at, campaign.repeats) - campaign.starts_at)


def next_time(moment: datetime, repeats: str) -> datetime:
    """The same time of day, a day, a week or a month later, on the clock of the wall: also across change-overs."""
    zone = ZoneInfo(current_app.config["TIMEZONE"])
    local = moment.astimezone(zone).replace(tzinfo=None)
    if repeats == "monthly":
        year, month = divmod(local.year * 12 + local.month, 12)
        day = min(local.day, calendar.monthrange(year, month + 1)[1])
        local = local.replace(year=year, month=month + 1, day=day)
    else:
        local += timedelta(days=7 if repeats == "weekly" else 1)
    return local.replace(tzinfo=zone).astimezone(moment.tzinfo)
