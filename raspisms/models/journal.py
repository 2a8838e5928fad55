"""Every callback as it came, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..storage.types import Foreign, ForeignText, UTCDateTime
from ._columns import enum_column
from .phone import Phone


class JournalState(StrEnum):
    NEW = "new"
    APPLIED = "applied"
    UNREADABLE = "unreadable"
    """Nothing in it could be understood; kept for a person to look at."""
    FAILED = "failed"
    """Our own fault: applying it raised an error; kept, and named in the log."""


NEW = text("state = 'new'")


class JournalEntry(Model):
    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_new", "id", sqlite_where=NEW, postgresql_where=NEW),)

    id: Mapped[int] = mapped_column(primary_key=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"), index=True)
    """The phone whose token was in the URL."""
    kind: Mapped[str] = mapped_column(String(16))
    """Which URL was called: status or reception. Either may carry anything."""
    content_type: Mapped[str] = mapped_column(Foreign(255), default="")
    query: Mapped[str] = mapped_column(ForeignText, default="")
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)
    state: Mapped[JournalState] = mapped_column(enum_column(JournalState), default=JournalState.NEW)
    attempts: Mapped[int] = mapped_column(default=0)
    """Times that something of it could not be applied."""
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When that is tried again."""
    results: Mapped[list[str | None] | None] = mapped_column(JSON)
    """What became of each item while others of the same callback still wait: None for those that do."""
    outcome: Mapped[str | None] = mapped_column(Foreign(255))
    """What became of each item, in a word: report, repeated, early, reply, opt-out, foreign, ignored."""
    inbox_id: Mapped[str | None] = mapped_column("spool_id", String(64), unique=True)
    """Its name in the inbox that it came through: makes the import happen once. (The column has the name of
    what came before the inbox: SQLite would have to write the whole table anew to change it.)"""

    phone: Mapped[Phone] = relationship(lazy="joined", innerjoin=True)
