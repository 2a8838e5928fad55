"""The people whom the team writes to, and the groups they are in."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model
from ..sms import phone_numbers
from ..sms.folding import fold
from ..storage.types import UTCDateTime

FAULTY = text("fault IS NOT NULL")


def new_version() -> str:
    """A word that no contact had before."""
    return secrets.token_hex(8)


class Contact(Model):
    __tablename__ = "contacts"
    __table_args__ = (
        Index("ix_contacts_name", "sort_key", "id"),
        Index("ix_contacts_updated_at", "updated_at", "id"),
        Index("ix_contacts_fault", "id", sqlite_where=FAULTY, postgresql_where=FAULTY),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    number: Mapped[str] = mapped_column(String(32), index=True)
    """E.164. Not unique: two people may share a telephone."""
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What rules and texts read as `contact.key`: as it was written, see language.values."""
    sort_key: Mapped[str] = mapped_column(String(100))
    """The name without accents or capitals: what lists are ordered by."""
    search: Mapped[str] = mapped_column(Text)
    """What a search looks through: the folded name and the number, in both its forms."""
    origin: Mapped[str] = mapped_column(String(200), default="")
    """How we know this person, in people's words."""
    consent: Mapped[str] = mapped_column(String(500), default="")
    """The proof that this person agreed to advertising; empty without one."""
    consent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    fault: Mapped[str | None] = mapped_column(String(500))
    """Why the number needs correcting: a sentence (a msgid), set by failures of delivery."""
    fault_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[str] = mapped_column(String(32), default=new_version)
    """A word that each change makes anew: two people who edit the same contact are told, and so is an old page."""
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


def searchable(name: str, number: str) -> str:
    """What a search for this person may look for."""
    return f"{fold(name)} {number} {phone_numbers.national(number)}"
