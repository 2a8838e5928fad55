"""Whom a review kept, looked at once more: what they and their contacts say by now."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import gate
from ..models import Campaign, Contact, Fate, Recipient
from .targets import Targets


def refused(session: Session, numbers: Collection[str], campaign: Campaign) -> dict[str, gate.Refusal]:
    """Why a message of this campaign may not be sent to some of these numbers any more: by number."""
    if campaign.targets is None:  # accepted by a command, without a review
        return gate.may_get(session, numbers, campaign.purpose)
    rows = session.execute(
        select(Recipient.number, Recipient.contact_id, Contact.number)
        .outerjoin(Contact, Contact.id == Recipient.contact_id)
        .where(Recipient.campaign_id == campaign.id, Recipient.fate == Fate.KEPT, Recipient.number.in_(numbers))
    ).all()
    is_stated = bool(Targets.of(campaign.targets).consent)
    agreed = {number for number, contact_id, _ in rows if contact_id is None and is_stated}
    changed = {number for number, contact_id, present in rows if contact_id is not None and present != number}
    forgotten = set(numbers) - {number for number, _, _ in rows}
    found = dict.fromkeys(forgotten, gate.Reason.FORGOTTEN) | dict.fromkeys(changed, gate.Reason.CHANGED)
    by_now = gate.may_get(session, numbers, campaign.purpose, agreed=agreed)
    return by_now | {number: gate.Refusal(reason, number) for number, reason in found.items()}
