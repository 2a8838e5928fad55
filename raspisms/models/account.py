"""An account at a provider: what must not be spoken to twice at the same time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model
from ..storage.types import UTCDateTime


class Account(Model):
    """Several phones (numbers) may share one account; its requests leave one at a time."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """Keyed digest of the provider and the login: the login itself is sealed with the phone."""
    holder: Mapped[str | None] = mapped_column(String(128))
    """The process that is sending for this account now; see sending.lease."""
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    departures: Mapped[int] = mapped_column(default=0)
    """Requests begun, ever: a file outside of the database knows it too, see sending.restoration."""
    failures: Mapped[int] = mapped_column(default=0)
    """Requests in a row that got no usable answer."""
    not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the provider may be spoken to again, after it asked for patience or did not answer."""
    by_hand_not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When what people wrote by hand may ask again, sooner than campaigns; None for the same time."""
    reason: Mapped[str | None] = mapped_column(String(500))
    """Why it waits: a sentence (a msgid), gone with the next usable answer."""

    @property
    def is_waiting(self) -> bool:
        """Whether the provider is left in peace for the moment."""
        return self.not_before is not None and self.not_before > now()
