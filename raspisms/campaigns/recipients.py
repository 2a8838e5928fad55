"""Whom a review kept, looked at once more: what they and their contacts say by now."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import gate
from ..models import Campaign, Contact, Fate, Recipient
from .targets import Targets


def since_the_review(session: Session, numbers: Collection[str], campaign: Campaign) -> tuple[set[str], set[str]]:
    """Of these numbers: whose consent was stated with the list, and whose contact is another one by now, or gone."""
    if campaign.targets is None:  # accepted by a command, without a review
        return set(), set()
    rows = session.execute(
        select(Recipient.number, Recipient.contact_id, Contact.number)
        .outerjoin(Contact, Contact.id == Recipient.contact_id)
        .where(Recipient.campaign_id == campaign.id, Recipient.fate == Fate.KEPT, Recipient.number.in_(numbers))
    ).all()
    is_stated = bool(Targets.of(campaign.targets).consent)
    stated = {number for number, contact_id, _ in rows if contact_id is None and is_stated}
    changed = {number for number, contact_id, present in rows if contact_id is not None and present != number}
    return stated, changed


def refused(session: Session, numbers: Collection[str], campaign: Campaign) -> set[str]:
    """Those of these numbers that a message of this campaign may not be sent to any more."""
    stated, changed = since_the_review(session, numbers, campaign)
    return changed | set(gate.may_get(session, numbers, campaign.purpose, agreed=stated))
