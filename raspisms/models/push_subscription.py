"""A browser that wants to be told of new SMS while nobody looks at it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model
from ..storage.types import UTCDateTime


class PushSubscription(Model):
    __tablename__ = "push_subscriptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    endpoint_digest: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the address at the browser's maker: the same browser subscribes once."""
    sealed: Mapped[str] = mapped_column(Text)
    """That address and the browser's keys, encrypted: whoever has them can disturb somebody."""
    told_up_to: Mapped[int] = mapped_column(default=0)
    """The newest received message that it was told of."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
