"""A person of the team who can sign in."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum

from flask_login import UserMixin
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model
from ..storage.types import UTCDateTime
from ._columns import enum_column


class Role(StrEnum):
    """What a person may do: an administrator also manages phones."""

    ADMIN = "admin"
    MEMBER = "member"


class Mailing(StrEnum):
    """When somebody wants received messages by e-mail."""

    NEVER = "never"
    ALWAYS = "always"
    OPEN = "open"
    """During the opening hours."""
    CLOSED = "closed"
    """Outside of them: on call."""


class User(UserMixin, Model):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """In lower case."""
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(enum_column(Role), default=Role.MEMBER)
    locale: Mapped[str] = mapped_column(String(5), default="fr")
    session_id: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: secrets.token_hex(16))
    """What the cookie holds instead of the id: changing it signs the person out everywhere."""
    mail_received: Mapped[Mailing] = mapped_column(enum_column(Mailing), default=Mailing.NEVER)
    """When this person gets received messages by e-mail."""
    mail_digest: Mapped[bool] = mapped_column(default=False)
    """Whether this person gets the day before by e-mail each morning."""
    may_delete: Mapped[bool] = mapped_column(default=False)
    """Whether this person may delete what is the team's; administrators may anyway."""
    toured: Mapped[bool] = mapped_column(default=False)
    """The first steps are not shown any more."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    def get_id(self) -> str:
        """What Flask-Login keeps in the session."""
        return self.session_id

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def can_delete(self) -> bool:
        """Whether contacts, groups, texts and received SMS may go by this person's hand."""
        return self.is_admin or self.may_delete

    @property
    def name(self) -> str:
        """How colleagues see this person: the part of the address before the @."""
        return self.email.split("@")[0]
