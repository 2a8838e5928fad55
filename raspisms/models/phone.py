"""A number at a provider, which the team sends from and receives on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..adapters import TRAINING
from ..clock import now
from ..extensions import Model
from ..storage.types import Euros, Foreign, UTCDateTime
from ._columns import enum_column
from .account import Account


class PhoneStatus(StrEnum):
    AVAILABLE = "available"
    UNVERIFIED = "unverified"
    """Saved while the provider could not be asked; it sends all the same."""
    UNAVAILABLE = "unavailable"
    """Paused: the provider refuses the credentials, or has blocked the account."""
    NO_CREDIT = "no_credit"
    """Paused: the account is empty."""
    DISABLED = "disabled"
    """Paused by a person."""


SENDING_STATUSES = (PhoneStatus.AVAILABLE, PhoneStatus.UNVERIFIED)
# Paused by the provider's answer: these come back by themselves when the check passes.
PAUSED_STATUSES = (PhoneStatus.UNAVAILABLE, PhoneStatus.NO_CREDIT)


class Phone(Model):
    __tablename__ = "phones"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    adapter: Mapped[str] = mapped_column(String(64))
    """Key in adapters.REGISTRY."""
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    number: Mapped[str] = mapped_column(String(20), index=True)
    """E.164."""
    sealed_settings: Mapped[str] = mapped_column(Text)
    """The adapter's settings, encrypted; see phones.settings."""
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    sealed_token: Mapped[str] = mapped_column(Text)
    status: Mapped[PhoneStatus] = mapped_column(enum_column(PhoneStatus), default=PhoneStatus.AVAILABLE)
    reason: Mapped[str | None] = mapped_column(String(500))
    """Why it is paused, or what deserves attention: a sentence (a msgid)."""
    words: Mapped[str | None] = mapped_column(Foreign(500))
    """The provider's own words for it."""
    balance: Mapped[Decimal | None] = mapped_column(Euros)
    paused_balance: Mapped[Decimal | None] = mapped_column(Euros)
    """The balance when the credit ran out: more than this, and sending resumes."""
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    check_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    """When to ask the provider again by ourselves, while paused or unverified."""
    checks: Mapped[int] = mapped_column(default=0)
    """Checks in a row that did not pass."""
    pace: Mapped[int | None]
    """Messages a minute that campaigns may not pass; None for no limit."""
    paced_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the next chunk of a campaign may leave, at that pace."""
    stop_number: Mapped[str | None] = mapped_column(String(8))
    """The short number that advertising names: "STOP au 36180"; the provider gives it."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """It sends no more, and stands in no list to choose from; what was said by it can be read."""

    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def is_training(self) -> bool:
        """Whether nothing leaves for real."""
        return self.adapter in TRAINING

    @property
    def can_send(self) -> bool:
        return self.status in SENDING_STATUSES

    @property
    def is_paused(self) -> bool:
        return self.status in PAUSED_STATUSES
