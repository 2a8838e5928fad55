"""Somebody whom a campaign would write to: what the review shows, and nobody else."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Model
from ._columns import enum_column


class Fate(StrEnum):
    """Why somebody gets the SMS, or does not."""

    KEPT = "kept"
    OPTED_OUT = "opted_out"
    INVALID = "invalid"
    DUPLICATE = "duplicate"
    """The same person, chosen twice."""
    HOUSEHOLD = "household"
    """Somebody else with the same number gets it already."""
    SUSPECTED = "suspected"
    """A message of theirs may mean STOP, and nobody has said whether it does."""
    NO_CONSENT = "no_consent"
    COUNTRY = "country"
    LANDLINE = "landline"
    TO_CORRECT = "to_correct"
    """Its last SMS failed for a reason that lies in the number."""
    EMPTY = "empty"
    """The text is empty for this person."""
    TOO_LONG = "too_long"
    GONE = "gone"
    """The contact was deleted, or has another number, since the review was made."""
    MISTAKE = "mistake"
    """The text cannot be computed for this person."""


KEPT = text("fate = 'kept'")


class Recipient(Model):
    __tablename__ = "recipients"
    __table_args__ = (
        Index("ix_recipients_fate", "campaign_id", "fate", "id"),
        # Nobody gets a campaign twice, whatever the code does.
        Index("uq_recipients_kept", "campaign_id", "number", unique=True, sqlite_where=KEPT, postgresql_where=KEPT),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(String(60))
    """E.164; what was written, when that is no number."""
    contact_id: Mapped[int | None]
    """Not a foreign key: that the contact is gone must be seen."""
    name: Mapped[str] = mapped_column(String(100), default="")
    text: Mapped[str | None] = mapped_column(Text)
    """The final text, when it differs from person to person."""
    parts: Mapped[int] = mapped_column(default=1)
    fate: Mapped[Fate] = mapped_column(enum_column(Fate))
    reason: Mapped[str | None] = mapped_column(String(500))
    """What exactly is wrong: a sentence (a msgid), translated where it is read."""
    reason_values: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What the sentence speaks of."""
    missing: Mapped[str | None] = mapped_column(String(200))
    """Data that the text speaks of and this person has not."""
