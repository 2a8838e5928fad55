"""One SMS, out or in, between one of our phones and one other number; and what happened to it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

from sqlalchemy import ForeignKey, Index, String, case, null, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..sms.purposes import Purpose
from ..storage.types import Euros, Foreign, ForeignText, UTCDateTime
from ._columns import enum_column
from .phone import Phone
from .submission import Submission
from .user import User

# Begin the keys of the two kinds that there are: the one to a STOP, and the one while the team is away.
STOP_ANSWER, AWAY_ANSWER = "stop-answer:", "away:"


class Direction(StrEnum):
    OUT = "out"
    IN = "in"


class Status(StrEnum):
    HELD = "held"
    """Written, and can still be called back; the clock queues it at `held_until`."""
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RECEIVED = "received"
    """Incoming messages have this one only."""


# It has not left, and may still.
WAITING_STATUSES = (Status.HELD, Status.QUEUED, Status.SENDING)
FINAL_STATUSES = (Status.DELIVERED, Status.FAILED, Status.EXPIRED, Status.CANCELLED, Status.RECEIVED)


class Lane(IntEnum):
    """The order of leaving: what a person waits for goes first."""

    REPLY = 0
    SINGLE = 1
    BULK = 2


class Answer(StrEnum):
    """What a short incoming message says."""

    YES = "yes"
    NO = "no"


class StopMark(StrEnum):
    """What an incoming message that speaks of stopping is."""

    SUSPECTED = "suspected"
    """More than the word: a person decides."""
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


SUSPECTED = text("stop = 'suspected'")
QUEUED = text("status = 'queued'")
QUEUED_ALONE = text("status = 'queued' AND campaign_id IS NULL")
MAY_EXPIRE = text("status = 'queued' AND expires_at IS NOT NULL")
HELD = text("status = 'held'")
# One index for each state that few messages are in: SQLite proves an equality, not a list.
RARE = {name: text(f"status = '{name}'") for name in ("failed", "unknown", "expired", "cancelled")}
TAGGED = text("tag IS NOT NULL")
ANSWERING = text("answered_campaign_id IS NOT NULL")
REPLYING = text("reply_to_id IS NOT NULL")
AWAITING = text("status = 'sent' AND unreported_at IS NULL")


class Message(Model):
    __tablename__ = "messages"
    __table_args__ = (
        # What leaves next, and what may leave with it; small, since only waiting rows are in them.
        Index("ix_messages_queue", "phone_id", "lane", "id", sqlite_where=QUEUED_ALONE, postgresql_where=QUEUED_ALONE),
        Index(
            "ix_messages_batch",
            "phone_id",
            "lane",
            "batch_key",
            "id",
            sqlite_where=QUEUED_ALONE,
            postgresql_where=QUEUED_ALONE,
        ),
        Index("ix_messages_campaign", "campaign_id", "status"),
        Index(
            "ix_messages_campaign_batch",
            "campaign_id",
            "batch_key",
            "id",
            sqlite_where=QUEUED,
            postgresql_where=QUEUED,
        ),
        Index("ix_messages_expires_at", "expires_at", sqlite_where=MAY_EXPIRE, postgresql_where=MAY_EXPIRE),
        Index("ix_messages_awaiting_report", "sent_at", sqlite_where=AWAITING, postgresql_where=AWAITING),
        Index("ix_messages_submission", "submission_id", "number"),
        Index("ix_messages_list", "direction", "id"),
        Index("ix_messages_number", "number", "id"),
        Index("ix_messages_created_at", "created_at"),
        Index("ix_messages_figures_at", "figures_at"),
        Index("ix_messages_held", "held_until", sqlite_where=HELD, postgresql_where=HELD),
        *(Index(f"ix_messages_{name}", "id", sqlite_where=one, postgresql_where=one) for name, one in RARE.items()),
        Index("ix_messages_failing", "number", "id", sqlite_where=RARE["failed"], postgresql_where=RARE["failed"]),
        Index("ix_messages_tag", "tag", "id", sqlite_where=TAGGED, postgresql_where=TAGGED),
        Index(
            "ix_messages_answering",
            "answered_campaign_id",
            "number",
            "id",
            sqlite_where=ANSWERING,
            postgresql_where=ANSWERING,
        ),
        Index("ix_messages_reply_to", "reply_to_id", sqlite_where=REPLYING, postgresql_where=REPLYING),
        Index("ix_messages_suspected", "id", sqlite_where=SUSPECTED, postgresql_where=SUSPECTED),
        Index(
            "ix_messages_unread",
            "id",
            sqlite_where=text("direction = 'in' AND read_at IS NULL"),
            postgresql_where=text("direction = 'in' AND read_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    direction: Mapped[Direction] = mapped_column(enum_column(Direction))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"))
    number: Mapped[str] = mapped_column(Foreign(32))
    """The other number: E.164, or what the provider gave when a sender is no number (a short code, a name)."""
    text: Mapped[str] = mapped_column(ForeignText)
    status: Mapped[Status] = mapped_column(enum_column(Status))
    lane: Mapped[int] = mapped_column(default=Lane.SINGLE)
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose), default=Purpose.INFORMATION)
    batch_key: Mapped[str] = mapped_column(String(32), default="")
    """Messages of one phone with the same key may leave in one request."""
    parts: Mapped[int] = mapped_column(default=1)
    cost: Mapped[Decimal | None] = mapped_column(Euros)
    """Euros, this message's share of its request."""
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    submission_id: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    """The message that this one answers."""
    report_words: Mapped[str | None] = mapped_column(Foreign(64))
    """The last thing the provider reported, in its own word."""
    dedup_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    """What makes the same reply, delivered twice, or the same form, posted twice, one message."""
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it is of no use any more, and does not leave."""
    tag: Mapped[str | None] = mapped_column(String(255))
    """A word of the team's own, to find it by."""
    stop: Mapped[StopMark | None] = mapped_column(enum_column(StopMark))
    """Of an incoming message: it may ask for no more SMS."""
    answer: Mapped[Answer | None] = mapped_column(enum_column(Answer))
    """Of an incoming message: yes or no, when it is just that."""
    answered_campaign_id: Mapped[int | None]
    """Of an incoming message: the campaign that it answers. (No foreign key: SQLite would write the table anew.)"""
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Until when it could be called back."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    figures_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The moment that figures count it at: when it left, came in, or ended without leaving; None while it waits."""
    unreported_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was noticed that its delivery report is long overdue."""
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    phone: Mapped[Phone] = relationship(lazy="joined", innerjoin=True)
    submission: Mapped[Submission | None] = relationship()
    user: Mapped[User | None] = relationship()
    reply_to: Mapped[Message | None] = relationship(remote_side=[id])
    events: Mapped[list[MessageEvent]] = relationship(order_by="MessageEvent.id", viewonly=True)

    @property
    def is_incoming(self) -> bool:
        return self.direction is Direction.IN

    @property
    def is_unreported(self) -> bool:
        """Sent, and its report is long overdue."""
        return self.status is Status.SENT and self.unreported_at is not None

    @property
    def is_final(self) -> bool:
        """Nothing more will happen to it, as far as anyone can tell."""
        return self.status in FINAL_STATUSES


# What becomes of the key of a message that does not leave: the same form may be sent again. That there was an answer of
# our own stays known.
FORM_FORGOTTEN = case(
    (or_(Message.dedup_key.startswith(STOP_ANSWER), Message.dedup_key.startswith(AWAY_ANSWER)), Message.dedup_key),
    else_=null(),
)


def batch_key(text: str, purpose: Purpose, expires_at: datetime | None = None) -> str:
    """The key under which messages of one phone leave together: same final text, purpose and end of use."""
    facts = f"{purpose}\0{text}" + (f"\0{expires_at.timestamp()}" if expires_at else "")
    return hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()


class MessageEvent(Model):
    """One thing that happened to a message, kept so that "why didn't she get it?" has an answer."""

    __tablename__ = "message_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    """When it happened to the message, by the provider's clock for a report."""
    said_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The provider's own date, where it cannot be true."""
    status: Mapped[Status] = mapped_column(enum_column(Status))
    """The message's status after this."""
    reason: Mapped[str | None] = mapped_column(String(500))
    """A sentence for people (a msgid)."""
    words: Mapped[str | None] = mapped_column(Foreign(500))
    """The provider's own words."""
    code: Mapped[str | None] = mapped_column(Foreign(16))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """The person who did it, when it was a person."""
    journal_id: Mapped[int | None]
    """The callback that brought it: the provider's own message, as it came."""

    user: Mapped[User | None] = relationship()


UNCERTAIN = (Status.SENDING, Status.SENT, Status.UNKNOWN)
