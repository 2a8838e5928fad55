"""A database that is older than what has left: after a restore, nothing leaves by itself.

Each request is counted in the database, in the transaction that commits to it, and once more in a small file
beside it. A copy of the database that comes back knows of fewer departures than the file; a copy of the whole folder
has a file that was written at another time than it says. What waited in the copy may have left since it was made:
it is held until somebody decides, and no message gets a new request_id before.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from datetime import timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import ColumnElement, and_, func, literal, select, text
from sqlalchemy.orm import Session

from .. import refusals
from ..campaigns import repetition
from ..campaigns.settlement import settle
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..live import changes
from ..messages.history import add_all
from ..messages.restored import HELD, current, held_up_to
from ..models import (
    Account,
    Action,
    Campaign,
    CampaignState,
    Decision,
    Message,
    Restoration,
    Status,
    Submission,
    SubmissionState,
)
from ..models.message import WAITING_STATUSES
from ..storage.stride import Stride
from ..storage.transactions import ask_again, bulk_step, transaction
from ..team import audit

log = logging.getLogger(__name__)

FILE = "departures"
# A copy's file was written when it was copied; a file system's own clock may differ by less than this.
SAME_TIME_SECONDS = 600.0
HERE_AND_NOW = timedelta(minutes=1)
# A person who decided to go on is not asked again for so long, whatever the provider still knows.
ASKED_AGAIN = timedelta(days=1)
# Ids go on this far above the copy's: what an open page holds from before is never given again.
AHEAD = 1_000_000

OLDER = N_("La base de données est une copie plus ancienne : des SMS sont partis depuis.")
COPIED = N_("Les fichiers de cette installation ont été recopiés : des SMS sont peut-être partis entre-temps.")
PROVIDER_KNOWS = N_("Le fournisseur avait déjà pris une demande que cette base de données croit nouvelle.")
MAY_HAVE_LEFT = N_("Attendait dans une copie restaurée : peut-être parti entre-temps, RaspiSMS ne l’a pas renvoyé.")


class Refused(refusals.Refused):
    """There is nothing to decide any more; str(error) is a sentence (a msgid)."""


# -- the count outside of the database ----------------------------------------------------------------------


def _path() -> Path:
    return Path(current_app.config["INSTANCE"]) / FILE


def remember(account_id: int, departure: int) -> None:
    """A request of this account is about to leave. Never raises: a full disk must not keep anybody waiting.

    Not forced to the disk: a power cut may make the file older than the database, never the other way round.
    """
    try:
        handle = os.open(_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        log.warning("account=%s: departures cannot be kept: %s", account_id, type(error).__name__)
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        known = _read(handle)
        known[str(account_id)] = max(departure, known.get(str(account_id), 0))
        _write(handle, known)
    except OSError as error:
        log.warning("account=%s: departures cannot be kept: %s", account_id, type(error).__name__)
    finally:
        os.close(handle)


def _read(handle: int) -> dict[str, int]:
    try:
        found = json.loads(os.pread(handle, 1 << 20, 0) or b"{}")
        return {str(key): int(value) for key, value in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}  # cut in the middle of writing


def _write(handle: int, known: dict[str, int]) -> None:
    content = json.dumps(known | {"at": time.time_ns()}).encode()
    os.pwrite(handle, content, 0)
    os.ftruncate(handle, len(content))


def _known() -> dict[str, int]:
    try:
        handle = os.open(_path(), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        return _read(handle)
    finally:
        os.close(handle)


# -- noticing -----------------------------------------------------------------------------------------------


def compare(session: Session, account: Account) -> None:
    """Notice that the file knows of more departures than the database. Call inside a transaction."""
    departures = _known().get(str(account.id), 0)
    if departures > account.departures:
        account.departures = departures
        notice(session, OLDER)


def look() -> None:
    """The same for all accounts, and for a folder that was copied as a whole; once, when the installation starts."""
    known = _known()
    if not known:
        return
    with transaction() as session:
        for account in session.scalars(select(Account)):
            compare(session, account)
        if held_up_to(session) is None and abs(_path().stat().st_ctime - known.get("at", 0) / 1e9) > SAME_TIME_SECONDS:
            notice(session, COPIED)
    known.pop("at", None)
    handle = os.open(_path(), os.O_RDWR | os.O_CLOEXEC)
    try:  # what was noticed is noticed once
        fcntl.flock(handle, fcntl.LOCK_EX)
        _write(handle, known)
    finally:
        os.close(handle)


def notice(session: Session, reason: str) -> None:
    """Hold what waits, until somebody decides. Call inside a transaction."""
    asked = select(Restoration.id).where(
        (Restoration.decided_at.is_(None))
        | (literal(reason == PROVIDER_KNOWS) & (Restoration.noticed_at > now() - ASKED_AGAIN))
    )
    if session.scalar(asked.limit(1)) is not None:
        return
    last_message = session.scalar(select(func.max(Message.id))) or 0
    last_campaign = session.scalar(select(func.max(Campaign.id))) or 0
    session.add(Restoration(reason=reason, last_message_id=last_message, last_campaign_id=last_campaign))
    ask_again(session, HELD)
    _move_ids_ahead(session)
    audit.record(session, None, Action.RESTORATION_NOTICED)
    changes.remember(session, "messages", *range(-changes.MANY - 1, 0))
    session.flush()
    log.error("an older copy of this installation came back: what waited is held until somebody decides")


def _move_ids_ahead(session: Session) -> None:
    """Ids that were given after the copy was made are not given again."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("UPDATE sqlite_sequence SET seq = seq + :ahead"), {"ahead": AHEAD})
        return
    for table in db.metadata.sorted_tables:
        if list(table.primary_key.columns.keys()) == ["id"]:
            highest = session.scalar(select(func.max(table.c.id))) or 0
            sequence = func.pg_get_serial_sequence(table.name, "id")
            session.execute(select(func.setval(sequence, highest + AHEAD)))


# -- holding ------------------------------------------------------------------------------------------------


def held(session: Session) -> int:
    """How many messages wait for the decision."""
    found = current(session)
    if found is None:
        return 0
    return session.scalar(select(func.count()).select_from(Message).where(_held(found))) or 0


def _held(found: Restoration) -> ColumnElement[bool]:
    """What waits and may have left: not what was to begin later than the copy came back."""
    later = select(Campaign.id).where(
        Campaign.state == CampaignState.SCHEDULED, Campaign.starts_at > found.noticed_at + HERE_AND_NOW
    )
    return and_(
        Message.id <= found.last_message_id,
        Message.figures_at.is_(None),
        Message.status.in_(WAITING_STATUSES),
        Message.campaign_id.is_(None) | Message.campaign_id.not_in(later),
    )


def decide(restoration_id: int, decision: Decision, user_id: int | None) -> None:
    """Let everything go on, or send nothing of what waited: it may have left. Raises Refused."""
    with transaction() as session:
        found = current(session)
        if found is None or found.id != restoration_id or found.decision is not None:
            raise Refused(N_("Cette décision est déjà prise."))
        found.decision, found.user_id = decision, user_id
        if decision is Decision.SEND:
            found.decided_at = now()
            ask_again(session, HELD)
        audit.record(session, user_id, Action.RESTORATION_DECIDED, decision.value)
    work()


def work(seconds: float = 1.0) -> None:
    """Keep back what somebody decided to keep back, step by step; the clock goes on with the rest."""
    ends, stride = time.monotonic() + seconds, Stride()
    while time.monotonic() < ends:
        with bulk_step(stride) as (session, rows):
            found = current(session)
            if found is None or found.decision is not Decision.KEEP_BACK:
                return
            ids = session.scalars(select(Message.id).where(_held(found)).order_by(Message.id).limit(rows)).all()
            if ids:
                add_all(session, Message.id.in_(ids), Status.UNKNOWN, reason=MAY_HAVE_LEFT)
                continue
            _close(session, found)


def _close(session: Session, found: Restoration) -> None:
    """Nothing of the copy waits any more: its requests are closed, and what was to begin before it came back."""
    open_ones = select(Submission).where(Submission.state == SubmissionState.OPEN)
    mine = select(Message.id).where(Message.submission_id == Submission.id, Message.id <= found.last_message_id)
    for submission in session.scalars(open_ones.where(mine.exists())):
        submission.state, submission.closed_at, submission.reason = SubmissionState.UNKNOWN, now(), MAY_HAVE_LEFT
    missed = select(Campaign).where(
        Campaign.id <= found.last_campaign_id,
        Campaign.state == CampaignState.SCHEDULED,
        Campaign.starts_at <= found.noticed_at + HERE_AND_NOW,
    )
    for campaign in session.scalars(missed).all():
        campaign.state, campaign.finished_at, campaign.pause_reason = CampaignState.CANCELLED, now(), MAY_HAVE_LEFT
        repetition.write_next(session, campaign)  # a series goes on
    settle(session)
    found.decided_at = now()
    ask_again(session, HELD)
