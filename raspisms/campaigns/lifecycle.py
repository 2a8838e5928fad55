"""Campaigns: their progress and the verbs on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from .. import gate, job_queue, refusals
from ..clock import now
from ..delivery_reports import giving_up
from ..extensions import bell, db
from ..figures import failing_numbers
from ..i18n import N_
from ..live import changes
from ..machine import processes
from ..messages import attempts, hours, submissions
from ..messages.history import add_all
from ..models import Action, Campaign, CampaignState, Message, Phone, Status, Submission, SubmissionState, Trial
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from ..team import audit
from . import recipients, repetition, trial
from .settlement import PENDING, settle

# In the order of a message's life; what a campaign's counts are given by.
COUNTED = (
    Status.QUEUED,
    Status.SENDING,
    Status.SENT,
    Status.DELIVERED,
    Status.FAILED,
    Status.UNKNOWN,
    Status.EXPIRED,
    Status.CANCELLED,
)
# An acceptance writes a batch every second or so; one that is silent for this long was interrupted,
# even if its process lives on.
INTERRUPTED_AFTER = timedelta(minutes=30)
# What a verb does to the messages of a campaign while somebody waits for the page; a job does the rest.
INLINE_SECONDS = 0.3

CANCELLED_BY_PERSON = N_("La campagne a été annulée avant l’envoi de ce SMS.")
INTERRUPTED = N_("L’acceptation de la campagne a été interrompue : rien n’en est parti.")
REPLACED = N_("Cet envoi a été remplacé par sa version modifiée.")
REPLACED_TOO_LATE = N_("L’envoi que celui-ci devait remplacer a déjà commencé : rien n’est envoyé en double.")
REPLACED_ALREADY = N_("Une autre version de cet envoi est déjà lancée à sa place : rien n’est envoyé en double.")
SERIES_CANCELLED = N_("La série a été arrêtée avant cet envoi.")
STILL_CANCELLING = N_("Cette campagne est encore en cours d’annulation : réessayez dans un instant.")
ACCEPTING = N_("Cette campagne est encore en cours d’acceptation : réessayez dans un instant.")
# Why a verb does not fit, by the state that it finds.
CANNOT_PAUSE = {
    CampaignState.SCHEDULED: ACCEPTING,
    CampaignState.DRAFT: N_("Cette campagne n’est pas encore lancée."),
    CampaignState.PAUSED: N_("Cette campagne est déjà suspendue."),
    CampaignState.DONE: N_("Cette campagne est terminée : il n’y a plus rien à suspendre."),
    CampaignState.CANCELLED: N_("Cette campagne est annulée : il n’y a plus rien à suspendre."),
}
CANNOT_RESUME = {
    CampaignState.DRAFT: N_("Cette campagne n’est pas encore lancée."),
    CampaignState.SCHEDULED: ACCEPTING,
    CampaignState.SENDING: N_("Cette campagne n’est pas suspendue : elle est en cours d’envoi."),
    CampaignState.DONE: N_("Cette campagne est terminée : il n’y a plus rien à reprendre."),
    CampaignState.CANCELLED: N_("Cette campagne est annulée : elle ne peut pas reprendre."),
}
# Failures are looked at by so many, to tell whether any of them may be sent again.
LOOKED_AT = 500
NOBODY_TO_RETRY = N_(
    "Aucun de ces SMS ne peut être renvoyé : leurs numéros sont à corriger, ou ces personnes ne veulent plus de SMS."
)
RETRIED = N_("Renvoi demandé.")


class Refused(refusals.Refused):
    """The verb does not fit the campaign's state; str(error) is a sentence (a msgid)."""


def newest() -> list[Campaign]:
    """Every campaign, newest first."""
    return list(db.session.scalars(select(Campaign).order_by(Campaign.id.desc())))


def counts(campaign_id: int) -> dict[Status, int]:
    """How many messages of a campaign are in each status."""
    rows = db.session.execute(
        select(Message.status, func.count()).where(Message.campaign_id == campaign_id).group_by(Message.status)
    )
    found = {status: number for status, number in rows}
    return {status: found.get(status, 0) for status in COUNTED}


def hold(session: Session, campaign_id: int) -> Campaign:
    """Show that the campaign is still being accepted. Call inside a transaction. Raises Refused."""
    campaign = session.get_one(Campaign, campaign_id)
    if campaign.state is not CampaignState.SCHEDULED:
        raise Refused(INTERRUPTED)
    campaign.held_at = now()
    return campaign


def begin(campaign_id: int) -> None:
    """Everything is accepted: let it leave, from the level of the campaigns that are already under way.

    Raises Refused when it was cancelled in the meantime.
    """
    with transaction() as session:
        campaign = hold(session, campaign_id)
        campaign.holder = None
        _send(session, campaign)
        repetition.write_next(session, campaign)
        settle(session)
    _ring(campaign_id)


def _send(session: Session, campaign: Campaign) -> None:
    """Let it leave, level with the campaigns that share its account: it neither waits for them nor holds them up."""
    phones = select(Phone.id).where(Phone.account_id == campaign.phone.account_id)
    level = session.scalar(
        select(func.min(Campaign.turn)).where(
            Campaign.phone_id.in_(phones), Campaign.state == CampaignState.SENDING, Campaign.id != campaign.id
        )
    )
    campaign.turn = max(campaign.turn, level or 0)
    campaign.state = CampaignState.SENDING
    campaign.waits_until = hours.opening(campaign.hours, now())
    campaign.pause_reason = None
    if campaign.trial_state is Trial.FAILED:  # somebody has looked, or nobody would let it leave
        campaign.trial_state = Trial.PASSED
    campaign.finished_at = None
    changes.remember(session, "campaigns", campaign.id)


def forget(campaign_id: int) -> None:
    """Remove a campaign that has no message: there is nothing to keep of it."""
    with transaction() as session:
        session.delete(session.get_one(Campaign, campaign_id))


def pause(campaign_id: int, user_id: int | None = None) -> Campaign:
    """Let nothing more of it leave; the request in the air is not called back. Raises Refused."""
    with transaction() as session:
        campaign = _in_state(session, campaign_id, CampaignState.SENDING, CANNOT_PAUSE)
        campaign.state = CampaignState.PAUSED
        changes.remember(session, "campaigns", campaign.id)
        _record(session, user_id, Action.CAMPAIGN_PAUSED, campaign)
    return campaign


def resume(campaign_id: int, user_id: int | None = None) -> Campaign:
    """Go on with a paused campaign. Raises Refused."""
    with transaction() as session:
        campaign = _in_state(session, campaign_id, CampaignState.PAUSED, CANNOT_RESUME)
        if campaign.trial_state in (Trial.WAITING, Trial.FAILED):  # a person looked
            tried = trial.left(session, campaign_id) >= (campaign.trial or 0)
            campaign.trial_state = Trial.PASSED if tried else Trial.FIRST
        _send(session, campaign)
        session.execute(  # what was perhaps sent is asked about at once
            update(Submission)
            .where(submissions.of_campaign(campaign_id), Submission.state == SubmissionState.OPEN)
            .where(Submission.maybe_sent)
            .values(next_attempt_at=now()),
            execution_options={"synchronize_session": False},
        )
        _record(session, user_id, Action.CAMPAIGN_RESUMED, campaign)
    _ring(campaign_id)
    return campaign


def cancel(campaign_id: int, user_id: int | None = None, *, only_this: bool = False) -> Campaign:
    """Cancel what has not left; what has left stays as it is. Raises Refused.

    Of a series, all that is to come ends with it, unless it is `only_this` one that is left out.
    """
    with transaction() as session:
        campaign = _get(session, campaign_id)
        following = [] if only_this else repetition.to_come(session, campaign)
        is_over = campaign.state in (CampaignState.DONE, CampaignState.CANCELLED)
        if is_over and not following:
            raise Refused(N_("Cette campagne est déjà terminée : il n’y a plus rien à annuler."))
        if not is_over:
            _stop(session, campaign)
            if only_this:
                repetition.write_next(session, campaign)
        for one in following:
            _stop(session, one, SERIES_CANCELLED)
        _record(session, user_id, Action.CAMPAIGN_LEFT_OUT if only_this else Action.CAMPAIGN_CANCELLED, campaign)
    for one in (campaign, *following):
        _go_on_soon(one.id)
    return campaign


def replace(session: Session, campaign_id: int) -> None:
    """A scheduled campaign does not leave, since another takes its place. Call inside a transaction. Raises Refused.

    Only one ever does: two people may have begun to change it in the same moment.
    """
    taken = select(Campaign.id).where(Campaign.replaces_id == campaign_id, Campaign.state != CampaignState.DRAFT)
    if session.scalar(taken.limit(1)) is not None:
        raise Refused(REPLACED_ALREADY)
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or campaign.state is CampaignState.CANCELLED:
        return  # nothing of it leaves anyway
    if campaign.state is not CampaignState.SCHEDULED:
        raise Refused(REPLACED_TOO_LATE)
    _stop(session, campaign, REPLACED)


@dataclass(frozen=True)
class Retriable:
    """The failures of a campaign that somebody may ask to be sent again."""

    people: int = 0
    parts: int = 0
    """What they are billed as."""
    is_exact: bool = True
    """Whether each of them was looked at; else it is what they are at most."""


def retriable(campaign_id: int) -> Retriable:
    """Which failures may be sent again, as far as that can be told in a moment."""
    session, last, people, parts, ends = db.session(), 0, 0, 0, monotonic() + INLINE_SECONDS
    campaign = session.get_one(Campaign, campaign_id)
    if campaign.phone.is_deleted or _is_too_late(campaign):
        return Retriable()
    mine = Message.campaign_id == campaign_id, Message.status == Status.FAILED
    while monotonic() < ends:
        query = select(Message.id).where(*mine, Message.id > last)
        ids = session.scalars(query.order_by(Message.id).limit(LOOKED_AT)).all()
        if not ids:
            return Retriable(people, parts)
        wanted = _may_be_retried(session, campaign, ids)
        people += len(wanted)
        parts += session.scalar(select(func.sum(Message.parts)).where(Message.id.in_(wanted))) or 0
        last = ids[-1]
    everybody, billed = session.execute(select(func.count(), func.sum(Message.parts)).where(*mine)).one()
    return Retriable(everybody, billed or 0, is_exact=False)


def _is_too_late(campaign: Campaign) -> bool:
    return campaign.expires_at is not None and campaign.expires_at <= now()


def retry_failed(campaign_id: int, user_id: int | None = None) -> Campaign:
    """Send once more what failed; never what is unknown, nor what may have arrived. Raises Refused."""
    if not _somebody_to_retry(campaign_id):  # looked for before anybody waits for the lock
        raise Refused(NOBODY_TO_RETRY)
    with transaction() as session:
        campaign = _get(session, campaign_id)
        if campaign.phone.is_deleted:
            raise Refused(gate.Refusal(gate.Reason.PHONE_DELETED).sentence)
        if _is_too_late(campaign):
            raise Refused(N_("L’heure « inutile après » de cette campagne est passée : rien n’en repart."))
        failed = select(Message.id).where(Message.campaign_id == campaign_id, Message.status == Status.FAILED)
        if session.scalar(failed.limit(1)) is None:
            raise Refused(N_("Aucun SMS de cette campagne n’est en échec."))
        check_settled(session, campaign_id)
        campaign.retry_position = 0
        _record(session, user_id, Action.CAMPAIGN_RETRIED, campaign)
        if campaign.state is not CampaignState.PAUSED:  # a person's word stands
            _send(session, campaign)
    _go_on_soon(campaign_id)
    return campaign


# -- what a verb means for each message -----------------------------------------------------------------------


def unfinished() -> list[int]:
    """Campaigns of which messages still wait for what a verb means for them."""
    waiting = select(Message.id).where(Message.campaign_id == Campaign.id, Message.status == Status.QUEUED)
    query = select(Campaign.id).where(
        Campaign.retry_position.is_not(None) | ((Campaign.state == CampaignState.CANCELLED) & waiting.exists())
    )
    return list(db.session.scalars(query))


def go_on(campaign_id: int, seconds: float) -> bool:
    """Cancel or queue again, message by message, what a verb was about; True when there is more to do."""
    ends, stride, account_id, more = monotonic() + seconds, Stride(), None, True
    while more and monotonic() < ends:
        with bulk_step(stride) as (session, rows):
            campaign = session.get(Campaign, campaign_id)
            if campaign is not None and campaign.state is CampaignState.CANCELLED:
                more = _cancel_some(session, campaign, rows)
            elif campaign is not None and campaign.retry_position is not None:
                more, account_id = _retry_some(session, campaign, rows), campaign.phone.account_id
            else:
                more = False
    if account_id is not None:
        bell.ring_drain(account_id)
    return more


def _go_on_soon(campaign_id: int) -> None:
    if go_on(campaign_id, INLINE_SECONDS):
        bell.ring(job_queue.LISTS, job_queue.WORK_CAMPAIGN, campaign_id, timeout=job_queue.LIST_SECONDS)


def _cancel_some(session: Session, campaign: Campaign, rows: int) -> bool:
    campaign.retry_position = None
    waiting = select(Message.id).where(Message.campaign_id == campaign.id, Message.status == Status.QUEUED)
    ids = session.scalars(waiting.order_by(Message.id).limit(rows)).all()
    if ids:
        add_all(session, Message.id.in_(ids), Status.CANCELLED, reason=campaign.pause_reason or CANCELLED_BY_PERSON)
    return len(ids) == rows


def _retry_some(session: Session, campaign: Campaign, rows: int) -> bool:
    """Each message once: one that fails again meanwhile lies behind."""
    failed = select(Message.id).where(Message.campaign_id == campaign.id, Message.status == Status.FAILED)
    after = failed.where(Message.id > (campaign.retry_position or 0)).order_by(Message.id).limit(rows)
    ids = session.scalars(after).all()
    campaign.retry_position = ids[-1] if len(ids) == rows else None
    if wanted := _may_be_retried(session, campaign, ids):
        again(session, Message.id.in_(wanted), RETRIED)
    settle(session)
    return len(ids) == rows


def _somebody_to_retry(campaign_id: int) -> bool:
    """Whether one of the failures may be sent again, as far as that can be told in a moment."""
    session, last, ends = db.session(), 0, monotonic() + INLINE_SECONDS
    campaign = session.get(Campaign, campaign_id)
    failed = select(Message.id).where(Message.campaign_id == campaign_id, Message.status == Status.FAILED)
    while campaign is not None and monotonic() < ends:
        ids = session.scalars(failed.where(Message.id > last).order_by(Message.id).limit(LOOKED_AT)).all()
        if not ids:
            return last == 0  # without any, the verb says so itself
        if _may_be_retried(session, campaign, ids):
            return True
        last = ids[-1]
    return True


def _may_be_retried(session: Session, campaign: Campaign, ids: Collection[int]) -> list[int]:
    """Those of these messages whose person may be written to, at a number that works: the others stay as they are."""
    rows = session.execute(select(Message.id, Message.number).where(Message.id.in_(ids))).all()
    numbers = [row.number for row in rows]
    left_out = recipients.refused(session, numbers, campaign).keys() | failing_numbers.among(session, numbers)
    return [row.id for row in rows if row.number not in left_out]


def again(session: Session, which: ColumnElement[bool], reason: str, **values: Any) -> None:
    """Queue messages once more; their earlier requests are kept, for what is still said of them.

    `which` is a condition on Message. Call inside a transaction.
    """
    attempts.keep(session, which)
    add_all(
        session,
        which,
        Status.QUEUED,
        reason=reason,
        submission_id=None,
        report_words=None,
        sent_at=None,
        figures_at=None,
        unreported_at=None,
        **values,
    )


def check_settled(session: Session, campaign_id: int) -> None:
    """Raises Refused while messages of a cancelled campaign wait in the queue or for an answer: they would leave."""
    campaign = session.get_one(Campaign, campaign_id)
    waiting = select(Message.id).where(Message.campaign_id == campaign_id, Message.status.in_(PENDING))
    if campaign.state is CampaignState.CANCELLED and session.scalar(waiting.limit(1)) is not None:
        raise Refused(STILL_CANCELLING)


def finish_verbs(seconds: float = 1.0) -> None:
    """Go on with what is unfinished, without a worker; also what came back to the queue of a cancelled campaign."""
    ends = monotonic() + seconds
    for campaign_id in unfinished():
        if (left := ends - monotonic()) > 0:
            go_on(campaign_id, left)


def reopen(session: Session, campaign_id: int) -> None:
    """Let a message of an ended campaign leave after all. Call inside a transaction."""
    campaign = session.get_one(Campaign, campaign_id)
    if campaign.state in (CampaignState.DONE, CampaignState.CANCELLED):
        _send(session, campaign)


def end_interrupted(session: Session) -> None:
    """Cancel campaigns whose acceptance was cut short: half a list is nobody's wish."""
    from_outside = select(Campaign).where(Campaign.state == CampaignState.SCHEDULED, Campaign.targets.is_(None))
    for campaign in session.scalars(from_outside):  # those of the pages are gone on with
        silent = campaign.held_at is None or campaign.held_at < now() - INTERRUPTED_AFTER
        if silent or (campaign.holder and processes.is_alive(campaign.holder) is False):
            _stop(session, campaign, INTERRUPTED)


def cancel_interrupted(campaign_id: int) -> None:
    """Cancel a campaign that could not be accepted whole."""
    with transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
        if campaign.state is CampaignState.SCHEDULED:
            _stop(session, campaign, INTERRUPTED)
    _go_on_soon(campaign_id)


def _record(session: Session, user_id: int | None, action: Action, campaign: Campaign) -> None:
    audit.record(session, user_id, action, f"campaign {campaign.id}")


def _stop(session: Session, campaign: Campaign, reason: str | None = None) -> None:
    """Nothing of it leaves from now on; its messages are told so in `go_on`."""
    submissions.put_back(session, submissions.of_campaign(campaign.id))
    giving_up.give_up_all(session, submissions.of_campaign(campaign.id))
    campaign.state, campaign.pause_reason = CampaignState.CANCELLED, reason
    campaign.finished_at = now()
    changes.remember(session, "campaigns", campaign.id)


def _in_state(session: Session, campaign_id: int, state: CampaignState, refusals: dict[CampaignState, str]) -> Campaign:
    campaign = _get(session, campaign_id)
    if campaign.state is not state:
        raise Refused(refusals[campaign.state])
    return campaign


def _get(session: Session, campaign_id: int) -> Campaign:
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise Refused(N_("Cette campagne n’existe pas."))
    return campaign


def _ring(campaign_id: int) -> None:
    campaign = db.session.get_one(Campaign, campaign_id)
    bell.ring_drain(campaign.phone.account_id)


def as_dict(campaign: Campaign) -> dict[str, Any]:
    """A campaign as scripts read it."""
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state.value,
        "counts": {status.value: number for status, number in counts(campaign.id).items()},
    }
