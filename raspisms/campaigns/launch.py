"""The word that lets a campaign go: its review becomes messages, and they leave at their hour."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from time import monotonic

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..messages import hours, outgoing, restored
from ..models import Action, Campaign, CampaignState, Fate, Hours, Lane, Recipient
from ..storage.stride import Stride
from ..storage.transactions import INTERRUPTIONS, bulk_step, transaction
from ..team import audit, preferences
from . import drafts, fates, lifecycle, outgoing_text, recipients, repetition, review

log = logging.getLogger(__name__)

# A repetition's review is made this long before its hour, with the people of that day.
LEAD = timedelta(minutes=10)
# It begins at the clock's next look.
ABOUT_TO_BEGIN = timedelta(seconds=5)
# The budget of a job that says nothing else.
WORK_SECONDS = 20.0

FAILED = N_("Le compte rendu a échoué : modifiez la campagne et réessayez, ou prévenez qui a installé RaspiSMS.")
NOT_READY = N_("Le compte rendu n’est pas encore complet : attendez un instant.")
CHANGED = N_("La campagne a changé depuis ce compte rendu : relisez-le.")
NEEDS_RIGHT = N_("Envoyer de la publicité à toute heure demande le droit d’un administrateur.")


def send(campaign_id: int, revision: str, user_id: int | None, *, may_override: bool) -> Campaign:
    """Somebody read the review and says "send". Raises lifecycle.Refused.

    It leaves after the undo window, or at its hour. Widening the hours of an advertisement is a right,
    and is written down.
    """
    with transaction() as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None or campaign.state is not CampaignState.DRAFT:
            raise drafts.Refused(drafts.NOT_A_DRAFT)
        if campaign.prepared_at is None:
            raise lifecycle.Refused(NOT_READY)
        if campaign.revision != revision:
            raise lifecycle.Refused(CHANGED)
        problems = review.summary(campaign).problems
        if problems:
            raise lifecycle.Refused(problems[0])
        if campaign.hours is Hours.FREE and hours.usual(campaign.purpose) is not Hours.FREE:
            if not may_override:
                raise lifecycle.Refused(NEEDS_RIGHT)
            audit.record(session, user_id, Action.HOURS_OVERRIDDEN, f"campaign {campaign_id}")
        if campaign.replaces_id is not None:
            lifecycle.replace(session, campaign.replaces_id)
        undo = timedelta(seconds=preferences.current().undo_seconds)
        campaign.starts_at = max(campaign.starts_at or now(), now() + undo)
        campaign.state, campaign.position = CampaignState.SCHEDULED, 0
        campaign.series_id = campaign.id if campaign.repeats else None
        audit.record(session, user_id, Action.CAMPAIGN_LAUNCHED, f"campaign {campaign_id}")
    drafts.ring(campaign_id)
    if campaign.replaces_id is not None:
        drafts.ring(campaign.replaces_id)  # its messages are told
    return campaign


def work(campaign_id: int, between: Callable[[], None] = lambda: None, seconds: float = WORK_SECONDS) -> bool:
    """Go on with whatever a campaign needs, for so long: its review, then its messages, then what a verb asks of them.

    True when there is more to do.
    """
    ends = monotonic() + seconds
    campaign = drafts.get(campaign_id)
    if campaign is None:
        return False
    if campaign.state is CampaignState.CANCELLED or campaign.retry_position is not None:
        return lifecycle.go_on(campaign_id, seconds)
    if campaign.targets is None:
        return False
    step = _look_at_everybody(campaign, between, ends)
    if step is not review.Step.COMPLETE:
        return step is review.Step.MORE
    stride = Stride(200)
    while _accept(campaign_id, stride):
        between()
        if monotonic() > ends:
            return True
    begin_due()
    return False


def _look_at_everybody(campaign: Campaign, between: Callable[[], None], ends: float) -> review.Step:
    """Make its review, if that is to be made; CHANGED where nothing more comes of it."""
    try:
        if campaign.prepared_at is None:
            step = review.compute(campaign.id, between, ends)
            if step is not review.Step.COMPLETE:
                return step
        return review.Step.CHANGED if _gave_up(campaign.id) else review.Step.COMPLETE
    except (*INTERRUPTIONS, SQLAlchemyError):
        raise  # the sweep has it tried again
    except Exception:
        log.exception("campaign=%s: its review failed", campaign.id)
        _give_up(campaign.id, FAILED)
        return review.Step.CHANGED


def _gave_up(campaign_id: int) -> bool:
    """Whether a repetition's review says that it cannot be sent: nobody reads it before, so it says so after."""
    campaign = db.session.get_one(Campaign, campaign_id, populate_existing=True)
    is_untouched = campaign.state is CampaignState.SCHEDULED and not campaign.position and campaign.accepted_at is None
    if campaign.repeat_of_id is None or not is_untouched:
        return False
    problems = review.summary(campaign).problems
    if problems:
        _give_up(campaign_id, problems[0])
    return bool(problems)


def _give_up(campaign_id: int, problem: str) -> None:
    with transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        campaign.pause_reason, campaign.holder = problem, None
        if campaign.state is CampaignState.SCHEDULED:
            campaign.state, campaign.finished_at = CampaignState.CANCELLED, now()
            repetition.write_next(session, campaign)
        else:
            campaign.prepared_at = now()


def unfinished() -> list[int]:
    """Campaigns whose review or acceptance is under way, or due."""
    soon = now() + LEAD
    rows = db.session.execute(
        select(Campaign.id, Campaign.state, Campaign.starts_at, Campaign.repeat_of_id, Campaign.text).where(
            Campaign.targets.is_not(None),
            Campaign.state.in_((CampaignState.DRAFT, CampaignState.SCHEDULED)),
            Campaign.accepted_at.is_(None),
            Campaign.being_written.is_(False),
            (Campaign.prepared_at.is_(None)) | (Campaign.state == CampaignState.SCHEDULED),
        )
    )
    return lifecycle.unfinished() + [
        row.id
        for row in rows
        if (row.state is CampaignState.DRAFT and row.text)
        or (
            row.state is CampaignState.SCHEDULED
            and (row.repeat_of_id is None or row.starts_at is None or row.starts_at <= soon)
        )
    ]


def _accept(campaign_id: int, stride: Stride) -> bool:
    """Make messages of the next people of the review; True when there may be more."""
    with bulk_step(stride) as (session, rows):
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
                .limit(rows)
            )
        )
        if found:
            _store(session, campaign, found)
            campaign.position = found[-1].id
        else:
            campaign.accepted_at = now()
            if campaign.starts_at is None or campaign.starts_at <= now() + ABOUT_TO_BEGIN:
                repetition.write_next(session, campaign)
    return bool(found)


def _store(session: Session, campaign: Campaign, found: list[Recipient]) -> None:
    changed = _changed_since(session, campaign, found)
    for one in found:
        if one.id in changed:
            one.fate = changed[one.id]
    session.flush()
    shared = outgoing_text.outgoing_text(campaign)
    row = outgoing.common(
        campaign.phone_id,
        Lane.BULK,
        purpose=campaign.purpose,
        expires_at=campaign.expires_at,
        user_id=campaign.user_id,
        campaign_id=campaign.id,
        tag=campaign.tag,
    )
    made = functools.cache(functools.partial(outgoing.with_text, row))  # many have one text
    rows = []
    for one in found:
        if one.id not in changed:
            rows.append(made(one.text if one.text is not None else shared, one.parts) | {"number": one.number})
    outgoing.post_many(session, rows)


def _changed_since(session: Session, campaign: Campaign, found: list[Recipient]) -> dict[int, Fate]:
    """Who must not get it any more since the review was made: by recipient."""
    refused = recipients.refused(session, [one.number for one in found], campaign)
    return {one.id: fates.FATES[refused[one.number].reason] for one in found if one.number in refused}


def begin_due() -> float | None:
    """Let the campaigns leave whose hour has come; the seconds until the next one's."""
    waiting = select(Campaign.id, Campaign.starts_at).where(
        Campaign.state == CampaignState.SCHEDULED, Campaign.accepted_at.is_not(None)
    )
    if (held := restored.campaigns_held_up_to(db.session())) is not None:
        waiting = waiting.where(Campaign.id > held)  # whether they have begun is what nobody knows yet
    next_due = None
    for campaign_id, starts_at in db.session.execute(waiting).all():
        remaining = (starts_at - now()).total_seconds() if starts_at else 0.0
        if remaining <= 0:
            with suppress(lifecycle.Refused):  # somebody else began or cancelled it at this moment
                lifecycle.begin(campaign_id)
        else:
            next_due = min(remaining, next_due or remaining)
    return next_due
