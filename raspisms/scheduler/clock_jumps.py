"""A machine's clock may jump: a Raspberry Pi has none of its own and learns the time after it has started.

Going forward, what waits is due too early, which does no harm. Going back, it would wait for hours: this
brings times that no wait of ours could have given back to the present.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import Update, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from ..clock import now
from ..extensions import db
from ..models import Account, Message, Notice, Phone, Removal, Submission, SubmissionState
from ..phones.checking import NEXT_CHECK
from ..sending.lease import LEASE
from ..storage.transactions import transaction
from ..storage.types import DatabaseNow
from . import removals

# The longest wait that a provider may ask for; see adapters.http.
LONGEST_WAIT = timedelta(hours=1)
# What was perhaps sent waits for opening hours as long as the provider remembers it; see asking_again.
LONGEST_NIGHT = timedelta(hours=24)
# The longest moment in which somebody can call an SMS back, see preferences.
LONGEST_HOLD = timedelta(seconds=30)
# A smaller jump is a correction, and waiting for it is quicker than looking.
JUMP_SECONDS = 5.0


class Watch:
    """Compares the wall clock with the one that nobody sets."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def went_back(self) -> bool:
        """Whether the wall clock was set back since the last look."""
        offset = time.time() - time.monotonic()
        gone = self._offset - offset
        self._offset = offset
        return gone > JUMP_SECONDS


def is_behind() -> bool:
    """Whether something is under way that has not begun yet, by the clock: it was set back since. Cheap."""
    later = now() + timedelta(seconds=JUMP_SECONDS)
    from_the_future = select(Submission.id).where(
        Submission.state == SubmissionState.OPEN,
        or_(Submission.created_at > later, Submission.first_attempt_at > later),
    )
    return db.session.scalar(from_the_future.limit(1)) is not None


def release(longest: timedelta = LONGEST_WAIT) -> None:
    """Make due what waits for longer than any wait of ours lasts, or than `longest`."""
    with transaction() as session:
        for statement in (
            _not_later(Account.not_before, longest),
            _not_later(Account.by_hand_not_before, longest),
            _not_later(Submission.next_attempt_at, longest and LONGEST_NIGHT),
            _not_later(Submission.created_at, timedelta(0)),
            _not_later(Submission.first_attempt_at, timedelta(0)),
            _not_later(Phone.check_at, min(longest, NEXT_CHECK)),
            _not_later(Message.held_until, min(longest, LONGEST_HOLD)),
            _not_later(Notice.due_at, longest),
            _not_later(Removal.due_at, min(longest, timedelta(seconds=removals.UNDO_SECONDS))),
            update(Account).where(Account.held_until > DatabaseNow(LEASE)).values(held_until=DatabaseNow(LEASE)),
            # What a clock that was ahead has counted is counted on the day that it really is.
            _not_later(Message.figures_at, timedelta(0)),
            _not_later(Submission.closed_at, timedelta(0)),
            # A lawful pace may be ahead by hours; only a jump makes it wrong.
            *([] if longest else [_not_later(Phone.paced_until, longest)]),
        ):
            session.execute(statement, execution_options={"synchronize_session": False})


def _not_later(
    column: InstrumentedAttribute[datetime | None] | InstrumentedAttribute[datetime], longest: timedelta
) -> Update:
    return update(column.class_).where(column > now() + longest).values({column.key: now()})
