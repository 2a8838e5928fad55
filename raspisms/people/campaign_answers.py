"""What people answered to campaigns, for rules that ask: `contact_metas.answer_12 == 'none'`."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlalchemy import select

from ..extensions import db
from ..models import Direction, Message, Status

ASKED = re.compile(r"\banswer_(\d{1,9})\b")
REACHED = (Status.SENT, Status.DELIVERED)


def asked_by(rule: str) -> set[int]:
    """The campaigns whose answers a rule asks for."""
    return {int(found) for found in ASKED.findall(rule)}


def answers(campaign_ids: Collection[int], numbers: Collection[str]) -> dict[str, dict[str, str]]:
    """By number (a few hundred), what its person answered: yes, no, other; "none" for who got it and said nothing."""
    found: dict[str, dict[str, str]] = {}
    got = select(Message.number, Message.campaign_id).where(
        Message.campaign_id.in_(campaign_ids),
        Message.number.in_(numbers),
        Message.direction == Direction.OUT,
        Message.status.in_(REACHED),
    )
    for number, campaign_id in db.session.execute(got):
        found.setdefault(number, {})[f"answer_{campaign_id}"] = "none"
    said = select(Message.number, Message.answered_campaign_id, Message.answer).where(
        Message.answered_campaign_id.in_(campaign_ids), Message.number.in_(numbers)
    )
    for number, campaign_id, answer in db.session.execute(said.order_by(Message.id)):  # the last clear word counts
        held = found.setdefault(number, {})
        key = f"answer_{campaign_id}"
        if answer is not None:
            held[key] = answer.value
        elif held.get(key) not in ("yes", "no"):
            held[key] = "other"
    return found
