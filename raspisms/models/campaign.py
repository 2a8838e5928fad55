"""One text for many recipients, with its progress; kept for ever, unlike the row that RaspiSMS deleted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..database import UTCDateTime, now
from ..extensions import Model
from ._columns import enum_column
from .phone import Phone


class CampaignState(StrEnum):
    SCHEDULED = "scheduled"
    """Being accepted; nothing leaves."""
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    """Nothing of it waits any more; reports may still come."""
    CANCELLED = "cancelled"


class Campaign(Model):
    __tablename__ = "campaigns"
    __table_args__ = (Index("ix_campaigns_turn", "phone_id", "state", "turn"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(String(16))
    state: Mapped[CampaignState] = mapped_column(enum_column(CampaignState), default=CampaignState.SCHEDULED)
    turn: Mapped[int] = mapped_column(default=0)
    """Requests made so far: the campaign with the fewest goes next, so that none starves another."""
    holder: Mapped[str | None] = mapped_column(String(128))
    """The process that is accepting it; see sending.lease."""
    held_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When that process last wrote to it."""
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """What has not left by then is of no use any more, and does not leave."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    phone: Mapped[Phone] = relationship(lazy="joined", innerjoin=True)
