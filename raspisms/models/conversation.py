"""What is said between one of our phones and one person, and who of the team looks after it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..storage.types import Foreign, UTCDateTime
from .message import Message
from .phone import Phone
from .user import User

UNREAD = text("unread > 0")
WAITING = text("waiting_since IS NOT NULL")


class Conversation(Model):
    """There as soon as somebody wrote by hand, on either side; a campaign alone makes none."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("phone_id", "number"),
        Index("ix_conversations_recent", "last_at", "id"),
        Index("ix_conversations_number", "number"),
        Index("ix_conversations_unread", "id", sqlite_where=UNREAD, postgresql_where=UNREAD),
        Index("ix_conversations_waiting", "waiting_since", sqlite_where=WAITING, postgresql_where=WAITING),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"))
    number: Mapped[str] = mapped_column(Foreign(32))
    last_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    """When something was last said, on either side."""
    last_message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    unread: Mapped[int] = mapped_column(default=0)
    """Received messages that nobody has read: a copy of what the messages say, kept by conversations.counting."""
    waiting_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the person wrote what nobody has answered yet."""
    assigned_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Dealt with; the next message opens it again."""

    phone: Mapped[Phone] = relationship(lazy="joined", innerjoin=True)
    assigned: Mapped[User | None] = relationship(lazy="joined")
    last_message: Mapped[Message | None] = relationship()
    tags: Mapped[list[ConversationTag]] = relationship(order_by="ConversationTag.name", lazy="selectin", viewonly=True)

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None


class ConversationTag(Model):
    __tablename__ = "conversation_tags"

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)


class Note(Model):
    """What colleagues tell each other inside of a conversation; it is never sent."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    user: Mapped[User | None] = relationship(lazy="joined")


class ReplyDraft(Model):
    """What somebody began to write in a conversation, and has not sent."""

    __tablename__ = "reply_drafts"

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    sent_key: Mapped[str] = mapped_column(String(40), default="")
    """The form that this person sent last: what it still tells of its draft comes too late."""
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
