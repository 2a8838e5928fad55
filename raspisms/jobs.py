"""RQ jobs: one line each, calling a verb. Arguments are ids; running one twice does no harm.

None of them is retried by the queue: what a lost or failed job leaves undone is still in the database,
and the sweep rings again.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rq import get_current_job
from rq.job import Job

from . import job_queue
from .campaigns import drafts, launch
from .extensions import bell, db
from .notices import posting, pushing
from .people import imports
from .phones import checking
from .receiving import journal
from .sending import dispatch

# Seconds: a job that has more to do rings for itself, and whatever waits behind it has its turn first.
APPLY_BUDGET = 30.0
LIST_BUDGET = 20.0
NOTICE_BUDGET = 60.0
PASSING_BUDGET = 5.0


def drain(account_id: int) -> None:
    """Send what is due for one account. Twice at once: the second finds the lease taken and returns."""
    bell.answer(job_queue.DRAIN, account_id)
    with _stopping() as stop:
        more = dispatch.drain(account_id, stop=lambda: stop[0])
    if more and not stop[0]:
        bell.ring_drain(account_id)


def apply_callbacks() -> None:
    """Apply stored callbacks. Twice at once: each entry changes state once, under the write lock."""
    bell.answer(job_queue.APPLY_CALLBACKS)
    journal.import_inbox()
    if journal.apply_new(_budget(APPLY_BUDGET)):
        bell.ring(job_queue.RECEIVING, job_queue.APPLY_CALLBACKS, timeout=job_queue.APPLY_SECONDS)


def check_phone(phone_id: int) -> None:
    """Ask a provider about a phone; resume sending when the check passes."""
    bell.answer(job_queue.CHECK_PHONE, phone_id)
    phone = checking.check(phone_id)
    if phone is not None and phone.can_send:
        bell.ring_drain(phone.account_id)
    db.session.rollback()


def work_import(import_id: int) -> None:
    """Go on with a list that comes in. Twice at once: each chunk is taken under the write lock."""
    bell.answer(job_queue.WORK_IMPORT, import_id)
    if imports.work(import_id, _let_callbacks_pass, _budget(LIST_BUDGET)):
        imports.ring(import_id)
    db.session.rollback()


def work_campaign(campaign_id: int) -> None:
    """Go on with a campaign's review or its messages. Twice at once: one of them looks at people, and each chunk
    of messages is taken under the write lock."""
    bell.answer(job_queue.WORK_CAMPAIGN, campaign_id)
    if launch.work(campaign_id, _let_callbacks_pass, _budget(LIST_BUDGET)):
        drafts.ring(campaign_id)
    db.session.rollback()


def post_notices() -> None:
    """Send the e-mails that are due. Twice at once: each is claimed under the write lock."""
    bell.answer(job_queue.POST_NOTICES)
    posting.post_due(_budget(NOTICE_BUDGET))
    db.session.rollback()


def _let_callbacks_pass() -> None:
    """Replies and reports do not wait for a long list that has this worker."""
    journal.import_inbox()
    if journal.has_new():
        journal.apply_new(_budget(PASSING_BUDGET))


def _budget(usual: float) -> float:
    """The seconds that this job takes before it hands over: well below the limit that would end it in mid-sentence."""
    job = get_current_job()
    return usual if job is None or not job.timeout else min(usual, job.timeout / 3)


def push() -> None:
    """Tell browsers what came in."""
    bell.answer(job_queue.PUSH)
    pushing.work()


@contextmanager
def _stopping() -> Iterator[list[bool]]:
    """On SIGTERM, end after the present request instead of in the middle of it."""
    stop = [False]

    def ask(_signum: int, _frame: FrameType | None) -> None:
        stop[0] = True

    previous = signal.signal(signal.SIGTERM, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, previous)


# -- what a worker may be asked to do -----------------------------------------------------------------------

LISTED: dict[str, Callable[..., None]] = {
    job_queue.DRAIN: drain,
    job_queue.APPLY_CALLBACKS: apply_callbacks,
    job_queue.CHECK_PHONE: check_phone,
    job_queue.WORK_IMPORT: work_import,
    job_queue.WORK_CAMPAIGN: work_campaign,
    job_queue.POST_NOTICES: post_notices,
    job_queue.PUSH: push,
}


class NotListed(Exception):
    """Somebody put a job into the queue that is none of ours."""


class ListedJob(Job):
    """A job as a name of the closed list and ids: whoever can write to the queue server can ring, and no more.

    RQ would import whatever a job names, what it is told to call afterwards included.
    """

    @property
    def func(self) -> Callable[..., Any]:
        """The function of the list. Raises NotListed."""
        found = LISTED.get(str(self.func_name))
        if found is None or self.instance is not None or self.kwargs or not all(type(one) is int for one in self.args):
            raise NotListed("a job that is not ours was in the queue")
        return found

    @property
    def success_callback(self) -> None:
        """Nothing is called afterwards."""

    @property
    def failure_callback(self) -> None:
        """Nothing is called afterwards."""

    @property
    def stopped_callback(self) -> None:
        """Nothing is called afterwards."""
