"""One request to a provider, committed before it is made and repeated under the same request_id."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..sms.purposes import Purpose
from ..storage.types import Euros, Foreign, UTCDateTime
from ._columns import enum_column
from .phone import Phone


class SubmissionState(StrEnum):
    OPEN = "open"
    """Not answered for good: will be made, is being made, or will be repeated."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    """Surely not sent; its messages failed, or went back to the queue."""
    UNKNOWN = "unknown"
    """Perhaps sent; only a person may send again."""


OPEN = text("state = 'open'")


class Submission(Model):
    __tablename__ = "submissions"
    __table_args__ = (
        Index("ix_submissions_open", "account_id", "next_attempt_at", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_submissions_closed_at", "closed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"), index=True)
    request_id: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: f"rspi-{uuid.uuid4().hex}")
    """Idempotency key: the provider refuses to take the same one twice (Octopush: for 24 hours, code 182)."""
    state: Mapped[SubmissionState] = mapped_column(enum_column(SubmissionState), default=SubmissionState.OPEN)
    text: Mapped[str] = mapped_column(Text)
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose))
    lane: Mapped[int]
    provider_id: Mapped[str | None] = mapped_column(Foreign(128), index=True)
    """The provider's name for the request; with a number, it names one SMS."""
    attempts: Mapped[int] = mapped_column(default=0)
    in_flight: Mapped[bool] = mapped_column(default=False)
    """A request was begun and its outcome is not recorded: after a crash, it was perhaps sent."""
    maybe_sent: Mapped[bool] = mapped_column(default=False)
    """At least one attempt may have reached the provider: only this request_id may be used again."""
    unreadable: Mapped[int] = mapped_column(default=0)
    """Successful answers that held no provider id."""
    first_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    next_attempt_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When its messages are of no use any more; the same for all of them."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cost: Mapped[Decimal | None] = mapped_column(Euros)
    parts: Mapped[int | None]
    """As the provider counted them."""
    credit: Mapped[Decimal | None] = mapped_column(Euros)
    """What the provider said was left on the account."""
    is_estimated: Mapped[bool] = mapped_column(default=False)
    """The provider named no cost: it is what the phone's last message cost, as long as nothing better is known."""
    asked_up_to: Mapped[int | None]
    """The next attempt names its messages up to this id: one of the others may be what the provider refuses."""
    leaves_doubt: Mapped[bool] = mapped_column(default=False)
    """An attempt that named only some was perhaps sent: "taken before" then says nothing of the others."""
    reason: Mapped[str | None] = mapped_column(String(500))
    words: Mapped[str | None] = mapped_column(Foreign(500))
    code: Mapped[str | None] = mapped_column(Foreign(16))

    phone: Mapped[Phone] = relationship(lazy="joined", innerjoin=True)


class EarlierAttempt(Model):
    """A request that a message was part of before it was sent again: a late report may still speak of it."""

    __tablename__ = "earlier_attempts"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    submission_id: Mapped[int] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True, index=True
    )
