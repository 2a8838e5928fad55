"""Deleting a phone: it sends no more; what it sent and received stays readable."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import refusals
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..models import Action, Campaign, CampaignState, Message, Phone, PhoneStatus, Status
from ..storage.transactions import transaction
from ..team import audit
from ..vault import vault
from . import settings
from .saving import NAME_LENGTH

WAITING = (Status.HELD, Status.QUEUED, Status.SENDING)
UNDER_WAY = (CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED)


class Refused(refusals.Refused):
    """It cannot be deleted yet; str(error) is a sentence (a msgid)."""


def delete(phone_id: int, user_id: int | None) -> str | None:
    """Delete a phone that nothing waits on: the name that it had, None when it is gone already. Raises Refused.

    Its keys are forgotten. Its callback addresses go on working: a late report or a STOP must not be lost.
    """
    with transaction() as session:
        phone = session.get(Phone, phone_id)
        if phone is None or phone.is_deleted:
            return None
        if _waits(session, phone_id):
            raise Refused(N_("Des SMS ou des campagnes attendent encore sur ce téléphone : annulez-les d’abord."))
        name = phone.name
        phone.sealed_settings = vault().seal(settings.shown_values_of(phone))
        phone.status, phone.reason, phone.words, phone.check_at = PhoneStatus.DISABLED, None, None, None
        phone.deleted_at = now()
        mark = f" ({phone_id}, {now():%d/%m/%y})"  # so that its name can be given again
        phone.name = name[: NAME_LENGTH - len(mark)] + mark
        audit.record(session, user_id, Action.PHONE_DELETED, name)
    return name


def _waits(session: Session, phone_id: int) -> bool:
    message = select(Message.id).where(Message.phone_id == phone_id, Message.status.in_(WAITING))
    campaign = select(Campaign.id).where(Campaign.phone_id == phone_id, Campaign.state.in_(UNDER_WAY))
    return session.scalar(message.limit(1)) is not None or session.scalar(campaign.limit(1)) is not None


def sent(phone_id: int) -> int:
    """How many messages a phone sent and received: what stays readable."""
    return db.session.scalar(select(func.count()).select_from(Message).where(Message.phone_id == phone_id)) or 0
