"""A phone's pace: how many messages a minute its campaigns may make leave.

What people write by hand leaves at once whatever the pace, and counts: the campaign waits a little longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from ..clock import now
from ..extensions import db
from ..models import Campaign, CampaignState, Phone
from ..models.phone import SENDING_STATUSES

# A chunk holds what may leave in this many seconds, so that a minute's worth does not leave at once.
CHUNK_SECONDS = 5


def chunk(phone: Phone, limit: int) -> int:
    """How many messages of a campaign may leave together, `limit` at most."""
    return limit if phone.pace is None else min(limit, max(1, phone.pace * CHUNK_SECONDS // 60))


def count(phone: Phone, messages: int) -> None:
    """Note that so many messages leave now. Call inside a transaction."""
    if phone.pace is not None:
        taken = timedelta(minutes=messages / phone.pace)
        phone.paced_until = max(now(), phone.paced_until or now()) + taken


def is_free() -> ColumnElement[bool]:
    """The phones (a condition on Phone) whose campaigns may go on now."""
    return or_(Phone.paced_until.is_(None), Phone.paced_until <= now())


def next_free(account_id: int) -> datetime | None:
    """When the first of an account's phones with a campaign under way may go on; None without any that waits."""
    sending = select(Campaign.phone_id).where(Campaign.state == CampaignState.SENDING)
    return db.session.scalar(
        select(func.min(Phone.paced_until)).where(
            Phone.account_id == account_id,
            Phone.status.in_(SENDING_STATUSES),
            Phone.paced_until > now(),
            Phone.id.in_(sending),
        )
    )
