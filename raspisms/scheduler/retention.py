"""What nobody needs any more goes, at night and in small steps; what the figures need of it is counted first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from time import monotonic

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from .. import clock
from ..clock import now
from ..extensions import db
from ..figures import days as figures
from ..models import (
    Campaign,
    CampaignState,
    Heartbeat,
    JournalEntry,
    JournalState,
    Message,
    MessageEvent,
    ParkedReport,
    Preference,
    Recipient,
    Submission,
    SubmissionState,
)
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from ..team import preferences

# When few people look, on the wall clock; a machine that is off then does it when it is on.
NIGHT = range(2, 5)
AT_LATEST = timedelta(hours=36)
DONE = "retention"
# How far the history of old messages was thinned out: the id of a message.
THINNED = "history thinned up to message"


def work(seconds: float = 5.0) -> None:
    """Go on with tonight's work, if it is night; the clock calls this once a minute."""
    if not _is_time():
        return
    ends, choices = monotonic() + seconds, preferences.current()
    raw, details = (now() - timedelta(days=days) for days in (choices.keep_callbacks, choices.keep_details))
    steps: tuple[Callable[[Session, int], int], ...] = (
        lambda session, rows: _forget_callbacks(session, raw, rows),
        lambda session, rows: _forget_recipients(session, details, rows),
        lambda session, rows: _thin_history(session, details, rows),
    )
    if all(_in_strides(step, ends) for step in steps) and _forget_requests(details, ends):
        with transaction() as session:
            session.merge(Heartbeat(name=DONE, at=now()))


def _is_time() -> bool:
    last = db.session.get(Heartbeat, DONE)
    zone = clock.zone()
    local = now().astimezone(zone)
    if last is None or not timedelta(0) <= now() - last.at < AT_LATEST:
        return True
    return local.hour in NIGHT and last.at.astimezone(zone).date() != local.date()


def _in_strides(step: Callable[[Session, int], int], ends: float) -> bool:
    """Repeat a step until nothing is left for it; False when time was over first."""
    stride = Stride()
    while monotonic() < ends:
        with bulk_step(stride) as (session, rows):
            done = step(session, rows)
        if done < rows:
            return True
    return False


def _forget(session: Session, table: type[JournalEntry] | type[Recipient], ids: Select[int]) -> int:
    found = session.scalars(ids).all()
    session.execute(delete(table).where(table.id.in_(found)), execution_options={"synchronize_session": False})
    return len(found)


def _forget_callbacks(session: Session, before: datetime, rows: int) -> int:
    """Raw callbacks whose content lies in messages by now, or that nobody could read; our own faults stay."""
    over = JournalEntry.state.in_((JournalState.APPLIED, JournalState.UNREADABLE))
    parked = select(ParkedReport.journal_id)
    old = select(JournalEntry.id).where(JournalEntry.received_at < before, over, JournalEntry.id.not_in(parked))
    return _forget(session, JournalEntry, old.order_by(JournalEntry.id).limit(rows))


def _forget_recipients(session: Session, before: datetime, rows: int) -> int:
    """What the review of a campaign said of everybody; who got it is in its messages."""
    ended = select(Campaign.id).where(
        Campaign.state.in_((CampaignState.DONE, CampaignState.CANCELLED)), Campaign.finished_at < before
    )
    return _forget(session, Recipient, select(Recipient.id).where(Recipient.campaign_id.in_(ended)).limit(rows))


def _thin_history(session: Session, before: datetime, rows: int) -> int:
    """Of old messages the last event stays: how they ended, and why."""
    kept = session.get(Preference, THINNED)
    since = int(kept.value) if kept else 0
    old = select(Message.id).where(Message.id > since, Message.created_at < before, Message.figures_at.is_not(None))
    ids = session.scalars(old.order_by(Message.id).limit(rows)).all()
    if ids:
        last = (
            select(func.max(MessageEvent.id)).where(MessageEvent.message_id.in_(ids)).group_by(MessageEvent.message_id)
        )
        session.execute(
            delete(MessageEvent).where(MessageEvent.message_id.in_(ids), MessageEvent.id.not_in(last)),
            execution_options={"synchronize_session": False},
        )
        session.merge(Preference(name=THINNED, value=str(ids[-1])))
    return len(ids)


def _forget_requests(before: datetime, ends: float) -> bool:
    """Requests to providers, whole days of them; what they cost is counted first, and stays as it was counted."""
    first_kept = before.astimezone(clock.zone()).date()
    old = _old_requests(first_kept)
    if db.session.scalar(select(Submission.id).where(old).limit(1)) is None:
        return True
    if not figures.keep_costs(first_kept, ends):
        return False
    return _in_strides(lambda session, rows: _forget_some_requests(session, old, rows), ends)


def _old_requests(first_kept: date) -> ColumnElement[bool]:
    over = Submission.state.in_((SubmissionState.ACCEPTED, SubmissionState.REFUSED))
    return (Submission.closed_at < clock.bounds(first_kept)[0]) & over


def _forget_some_requests(session: Session, old: ColumnElement[bool], rows: int) -> int:
    found = session.scalars(select(Submission.id).where(old).order_by(Submission.id).limit(rows)).all()
    for statement in (
        update(Message).where(Message.submission_id.in_(found)).values(submission_id=None),
        delete(Submission).where(Submission.id.in_(found)),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})
    return len(found)
