"""The database turned out to be older than what has left: what waited is held until somebody decides."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..storage.types import UTCDateTime
from ._columns import enum_column
from .user import User


class Decision(StrEnum):
    """What becomes of the messages that waited."""

    SEND = "send"
    KEEP_BACK = "keep_back"


UNDECIDED = text("decided_at IS NULL")


class Restoration(Model):
    """Noticed once for each time that an older copy came back."""

    __tablename__ = "restorations"
    __table_args__ = (Index("ix_restorations_undecided", "id", sqlite_where=UNDECIDED, postgresql_where=UNDECIDED),)

    id: Mapped[int] = mapped_column(primary_key=True)
    noticed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    reason: Mapped[str] = mapped_column(String(500))
    """How it was noticed: a sentence (a msgid)."""
    last_message_id: Mapped[int]
    """The newest message of the copy: this one and those before it are held."""
    last_campaign_id: Mapped[int]
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decision: Mapped[Decision | None] = mapped_column(enum_column(Decision))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    user: Mapped[User | None] = relationship()
