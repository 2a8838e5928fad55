"""Who did what that others may ask about."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Model
from ..storage.types import UTCDateTime
from .user import User


class Action(StrEnum):
    """What is kept of who did it; the words for people are in labels.EVENT_LABELS."""

    SIGNED_IN = "signed in"
    SIGN_IN_REFUSED = "sign-in refused"
    PERSON_ADDED = "person added"
    PHONE_ADDED = "phone added"
    PHONE_CHANGED = "phone changed"
    PHONE_SWITCHED_ON = "phone switched on"
    PHONE_SWITCHED_OFF = "phone switched off"
    PHONE_DELETED = "phone deleted"
    TOKEN_RENEWED = "token renewed"  # noqa: S105 - no secret
    CONTACT_ADDED = "contact added"
    CONTACT_DELETED = "contact deleted"
    CONTACTS_DELETED = "contacts deleted"
    CONTACTS_DELETED_BY_GROUP = "contacts deleted by group"
    PERSON_ERASED = "person erased"
    GROUP_ADDED = "group added"
    GROUP_DELETED = "group deleted"
    IMPORT_APPLY = "import apply"
    IMPORT_UNDO = "import undo"
    CAMPAIGN_LAUNCHED = "campaign launched"
    CAMPAIGN_PAUSED = "campaign paused"
    CAMPAIGN_RESUMED = "campaign resumed"
    CAMPAIGN_CANCELLED = "campaign cancelled"
    CAMPAIGN_LEFT_OUT = "campaign left out"
    CAMPAIGN_RETRIED = "campaign retried"
    CALLBACK_TRIED_AGAIN = "callback tried again"
    CALLBACK_SET_ASIDE = "callback set aside"
    RESTORATION_NOTICED = "restoration noticed"
    RESTORATION_DECIDED = "restoration decided"
    HOURS_OVERRIDDEN = "hours overridden"
    OPT_OUTS_ADDED = "opt-outs added"
    OPT_OUT_REMOVED = "opt-out removed"
    STOP_CONFIRMED = "stop confirmed"
    STOP_DISMISSED = "stop dismissed"
    RECEIVED_DELETED = "received deleted"
    NUMBERS_CORRECTED = "numbers corrected"
    """By a migration: of the French territories, once read as the mainland's."""
    PREFERENCES_CHANGED = "preferences changed"
    RIGHTS_CHANGED = "rights changed"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - no secret


class AuditEntry(Model):
    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """None for a command, and for what RaspiSMS notices by itself."""
    action: Mapped[str] = mapped_column(String(40))
    """One of Action; a later version may have taken it away."""
    subject: Mapped[str] = mapped_column(String(200), default="")
    """What it was done to, without texts or numbers of people: an id, a name of ours, a count."""

    user: Mapped[User | None] = relationship()
