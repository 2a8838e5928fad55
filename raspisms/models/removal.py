"""Something that somebody deleted, and may still take back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Model
from ..storage.types import UTCDateTime
from ._columns import enum_column


class RemovalKind(StrEnum):
    """What goes."""

    CONTACT = "contact"
    CONTACTS = "contacts"
    MEMBERS = "members"
    """Of a group: the contacts themselves."""
    RECEIVED = "received"
    GROUP = "group"
    TEXT = "text"


class Removal(Model):
    """Of a few seconds: the clock does it at `due_at`, unless it was taken back."""

    __tablename__ = "removals"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RemovalKind] = mapped_column(enum_column(RemovalKind))
    subject: Mapped[str] = mapped_column(String(100), default="")
    """What the events will say that it was."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    """None until everything that goes is written down: half of it never goes."""
    begun: Mapped[bool] = mapped_column(default=False)
    """It can be taken back no more."""


class RemovalTarget(Model):
    """One of the rows that go."""

    __tablename__ = "removal_targets"
    __table_args__ = (Index("ix_removal_targets_target", "target_id"),)

    removal_id: Mapped[int] = mapped_column(ForeignKey("removals.id", ondelete="CASCADE"), primary_key=True)
    target_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
