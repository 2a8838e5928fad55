"""An e-mail to somebody of the team, written when it leaves."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..storage.types import UTCDateTime
from ._columns import enum_column
from .message import Message
from .user import User


class NoticeKind(StrEnum):
    RECEIVED = "received"
    """Somebody wrote to us."""
    DIGEST = "digest"
    """The day before, in a few lines."""


UNSENT = text("sent_at IS NULL AND given_up_at IS NULL")


class Notice(Model):
    __tablename__ = "notices"
    __table_args__ = (
        # One e-mail for one thing, whatever runs twice.
        UniqueConstraint("user_id", "kind", "message_id"),
        UniqueConstraint("user_id", "kind", "day"),
        Index("ix_notices_due", "due_at", sqlite_where=UNSENT, postgresql_where=UNSENT),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[NoticeKind] = mapped_column(enum_column(NoticeKind))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    day: Mapped[str | None] = mapped_column(String(10))
    """The day that a digest is about, as 2026-11-24."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(String(500))
    """Why the last attempt failed, in the server's words."""
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    given_up_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    message: Mapped[Message | None] = relationship()
