"""A number that said STOP: nothing more is sent to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model
from ..storage.types import Foreign, UTCDateTime


class OptOut(Model):
    __tablename__ = "opt_outs"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str | None] = mapped_column(Foreign(32), unique=True)
    """None once the person was erased: the digest goes on keeping them from being written to."""
    digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Keyed digest of the number of an erased person; see people.opt_outs."""
    origin: Mapped[str] = mapped_column(String(16))
    """How we know: reply, callback (the provider's own list), report (a refusal for that cause), person, import."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """The colleague who added it."""
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    """When it was last said, as far as we know: a START from before takes nothing back."""
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the person wrote START, or the team took them off: what was said before that counts no more."""
