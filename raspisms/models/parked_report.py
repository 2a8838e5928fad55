"""A report whose provider id is not known yet: it came before the answer that names the provider id."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model
from ..storage.types import Foreign, UTCDateTime


class ParkedReport(Model):
    __tablename__ = "parked_reports"
    __table_args__ = (Index("ix_parked_reports_provider_id", "account_id", "provider_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    journal_id: Mapped[int] = mapped_column(ForeignKey("journal.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    provider_id: Mapped[str] = mapped_column(Foreign(128))
    number: Mapped[str] = mapped_column(Foreign(32))
    outcome: Mapped[str] = mapped_column(String(16))
    words: Mapped[str] = mapped_column(Foreign(64))
    reason: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)
