"""The last word before a prepared chunk leaves: is it still what must leave next?"""

from __future__ import annotations

import functools
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import BindParameter, Update, bindparam, or_, select, update
from sqlalchemy.orm import aliased

from ..clock import now
from ..machine import processes
from ..messages import hours
from ..models import (
    Account,
    Message,
    OptOut,
    Phone,
    Restoration,
    Status,
    Submission,
    SubmissionState,
)
from ..people import opt_outs
from ..sms.purposes import Purpose
from ..storage.transactions import transaction
from ..storage.types import DatabaseNow, UTCDateTime
from . import eligible, lease
from .claim import Claim


def confirm(account_id: int, prepared: Claim) -> int | None:
    """Commit to a prepared chunk, if it is still what must leave next: the account's count of departures.

    None sends the caller to `claim.next_claim`. Two statements ask all that it would look at: every millisecond
    here is one in which the air is empty.
    """
    if hours.opening(prepared.hours, now()) is not None or monotonic() - prepared.at > eligible.FRESH_SECONDS:
        return None
    facts = {
        "account": account_id,
        "submission": prepared.submission_id,
        "present": now(),
        "myself": processes.holder(),
        "settings": prepared.sealed_settings,
    }
    with transaction() as session:
        renewal, take_off = _confirmation()
        renewed = session.execute(renewal, facts, execution_options={"synchronize_session": False}).first()
        if renewed is None:
            return None
        departure, may_be_secret = renewed
        left = session.execute(take_off, facts, execution_options={"synchronize_session": False})
        # Of somebody who said STOP and was erased only a digest knows, and SQL cannot make one.
        said_stop = may_be_secret and opt_outs.silent(session, prepared.batch.recipients)
        if not left.rowcount or said_stop:  # type: ignore[attr-defined]
            session.rollback()
            return None
        return int(departure)


@functools.cache
def _confirmation() -> tuple[Any, Update]:
    """Renew the lease, and take off: each changes one row, or none when anything speaks against it."""
    account: BindParameter[int] = bindparam("account")
    present: BindParameter[datetime] = bindparam("present", type_=UTCDateTime)
    renewal = (
        update(Account)
        .where(Account.id == account, Account.holder == bindparam("myself"))
        .where(or_(Account.not_before.is_(None), Account.not_before <= present))
        .where(~select(Restoration.id).where(Restoration.decided_at.is_(None)).exists())
        .values(held_until=DatabaseNow(lease.LEASE), departures=Account.departures + 1)
        .returning(Account.departures, select(OptOut.id).where(OptOut.digest.is_not(None)).exists())
    )
    phones = eligible.phones_of(account)
    by_hand = select(Message.id).where(
        Message.phone_id.in_(phones), Message.status == Status.QUEUED, Message.campaign_id.is_(None)
    )
    by_hand = by_hand.where(Message.purpose != Purpose.ADVERTISING)  # that may wait for its hours
    other = aliased(Submission)
    due = select(other.id).where(
        other.account_id == account,
        other.state == SubmissionState.OPEN,
        other.in_flight.is_(False),
        other.id != Submission.id,
        other.next_attempt_at <= present,
    )
    as_prepared = select(Phone.id).where(
        Phone.id == Submission.phone_id, Phone.sealed_settings == bindparam("settings")
    )
    take_off = (
        update(Submission)
        .where(
            Submission.id == bindparam("submission"),
            Submission.state == SubmissionState.OPEN,
            Submission.in_flight.is_(False),
            Submission.attempts == 0,
            Submission.phone_id.in_(phones),
            or_(Submission.expires_at.is_(None), Submission.expires_at > present),
            ~by_hand.exists(),
            ~due.exists(),
            *eligible.nothing_against(),
            as_prepared.exists(),
        )
        .values(in_flight=True, attempts=1, first_attempt_at=present)
    )
    return renewal, take_off
