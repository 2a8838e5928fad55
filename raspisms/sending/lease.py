"""One request at a time per account: the right to send, held by one process.

The holder's name tells which process of which machine it is, so that on the same machine a dead holder is
replaced at once and a living one never, whatever the wall clock says. A holder elsewhere is replaced when
its time is over, by the clock of the database: two machines never agree on theirs.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from ..clock import now
from ..extensions import db
from ..machine.processes import holder, is_alive
from ..messages import submissions
from ..models import Account, Submission, SubmissionState
from ..storage.transactions import transaction
from ..storage.types import DatabaseNow
from . import restoration
from .backoff import backoff

# More than the longest request (5 s to connect, 30 s to read) with its two commits.
LEASE = timedelta(seconds=90)


class LeaseLost(Exception):
    """Another process sends for this account now: stop, and touch nothing."""


def is_free(account: Account) -> bool:
    """Whether this account's lease may be taken by this process."""
    if account.holder is None or account.holder == holder():
        return True
    alive = is_alive(account.holder)
    if alive is None:
        over = select(Account.id).where(Account.id == account.id, Account.held_until >= DatabaseNow())
        return db.session.scalar(over) is None
    return not alive


def take(account_id: int) -> bool:
    """Take the lease; False when another process has it.

    Whatever the account had in flight belonged to a process that is gone: it was perhaps sent, and its
    next attempt repeats the same request_id.
    """
    with transaction() as session:
        account = session.scalar(
            select(Account).where(Account.id == account_id).with_for_update(skip_locked=True, of=Account)
        )
        if account is None or not is_free(account):
            return False
        restoration.compare(session, account)
        account.holder = holder()
        account.held_until = DatabaseNow(LEASE)
        abandoned = session.scalars(
            select(Submission).where(
                Submission.account_id == account_id,
                Submission.state == SubmissionState.OPEN,
                Submission.in_flight,
            )
        )
        for submission in abandoned:
            submission.in_flight = False
            submissions.perhaps_sent(session, submission)
            submission.next_attempt_at = now() + backoff(submission.attempts)
        return True


def renew(account: Account) -> None:
    """Keep the lease for the next request. Call inside a transaction. Raises LeaseLost."""
    if account.holder != holder():
        raise LeaseLost
    account.held_until = DatabaseNow(LEASE)


def release(account_id: int) -> None:
    """Give the lease back, if it is still ours."""
    with transaction() as session:
        session.execute(
            update(Account)
            .where(Account.id == account_id, Account.holder == holder())
            .values(holder=None, held_until=None)
        )
