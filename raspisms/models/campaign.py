"""One text for many recipients, with its progress; kept for ever, unlike the row that RaspiSMS deleted."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..sms.purposes import Purpose
from ..storage.types import Euros, UTCDateTime
from ._columns import enum_column
from .phone import Phone
from .user import User


class CampaignState(StrEnum):
    DRAFT = "draft"
    """Written, and its recipients are being looked at; nobody has said "send"."""
    SCHEDULED = "scheduled"
    """Being accepted, or waiting for its hour; nothing leaves."""
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    """Nothing of it waits any more; reports may still come."""
    CANCELLED = "cancelled"


class Hours(StrEnum):
    """When SMS may leave (docs/rules.md)."""

    FREE = "free"
    STRICT = "strict"
    """8:00 to 20:00, Monday to Saturday, no public holiday."""
    AF2M = "af2m"
    """8:00 to 21:30, Monday to Saturday: the operators' charter of 2026."""


class Trial(StrEnum):
    """How a campaign that tries a few people first stands."""

    FIRST = "first"
    """The first ones leave."""
    WAITING = "waiting"
    """They left; their reports are awaited."""
    PASSED = "passed"
    FAILED = "failed"


def new_revision() -> str:
    """A word that no draft ever had, nor will have: a restored database does not know it either."""
    return secrets.token_hex(8)


class Campaign(Model):
    __tablename__ = "campaigns"
    __table_args__ = (Index("ix_campaigns_turn", "phone_id", "state", "turn"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(Text)
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose))
    state: Mapped[CampaignState] = mapped_column(enum_column(CampaignState), default=CampaignState.SCHEDULED)
    turn: Mapped[int] = mapped_column(default=0)
    """Requests made so far: the campaign with the fewest goes next, so that none starves another."""
    holder: Mapped[str | None] = mapped_column(String(128))
    """The process that is accepting it, or the run that is reviewing it; see sending.lease."""
    held_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When that process last wrote to it."""
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """What has not left by then is of no use any more, and does not leave."""
    targets: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True)
    """Who was chosen, to compute the recipients from: see campaigns.targets."""
    revision: Mapped[str] = mapped_column(String(32), default=new_revision)
    """A word that each change of the draft makes anew: a review is of one revision, and never of another draft's."""
    replaces_id: Mapped[int | None] = mapped_column()
    """Of a draft: the scheduled campaign that does not leave once this one is launched instead. (No foreign key: SQLite
    would write the table anew.)"""
    being_written: Mapped[bool] = mapped_column(default=False)
    """A draft that keeps itself while somebody types: no review is made of it yet."""
    form_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The page that it was written on: the same page, sent twice, makes one draft."""
    outgoing: Mapped[str | None] = mapped_column(Text)
    """The text with all that the law adds, as the review showed it: what leaves, whatever the phone says later."""
    position: Mapped[int] = mapped_column(default=0)
    """How far the present step (the review, the acceptance) has come."""
    cursor: Mapped[str | None] = mapped_column(String(40))
    """Where the review goes on: see campaigns.targets.Place."""
    retry_position: Mapped[int | None]
    """How far a retry of what failed has come, by id; None when none is under way."""
    prepared_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the review was complete."""
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When all its messages were there; its hour may still be to come."""
    starts_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    waits_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The next opening of its hours, while they are closed."""
    hours: Mapped[Hours] = mapped_column(enum_column(Hours), default=Hours.FREE)
    tag: Mapped[str | None] = mapped_column(String(255))
    estimate: Mapped[Decimal | None] = mapped_column(Euros)
    """Euros, as the review showed them."""
    trial: Mapped[int | None]
    """How many try it first."""
    trial_state: Mapped[Trial | None] = mapped_column(enum_column(Trial))
    trial_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the last of them left."""
    pause_reason: Mapped[str | None] = mapped_column(String(500))
    """Why it paused by itself: a sentence (a msgid)."""
    repeats: Mapped[str | None] = mapped_column(String(16))
    """`daily`, `weekly` or `monthly`: the next one is written when this one begins."""
    series_id: Mapped[int | None] = mapped_column(index=True)
    """The first of a row of repetitions, for each of them. (No foreign key: SQLite would write the table anew.)"""
    repeat_of_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    phone: Mapped[Phone] = relationship(lazy="joined", innerjoin=True)
    user: Mapped[User | None] = relationship()
