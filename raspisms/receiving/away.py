"""The answer that leaves by itself while the team is away: once per person and absence, and never in a loop."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..clock import now
from ..models import Message
from ..models.message import AWAY_ANSWER
from ..sms import phone_numbers as telephone_numbers
from ..sms.keywords import is_like_stop, is_no, is_stop, is_yes
from ..team import opening_hours, preferences
from . import incoming

# A message that comes long after it was written is not answered, and an answer that could not leave by then does not.
FRESH = timedelta(hours=1)
# A provider may date what it brings in another zone: only a date that is older than that, too, tells of a late one.
ZONES = timedelta(hours=2)


def answer(session: Session, *received: tuple[Message, datetime]) -> None:
    """Answer received messages if nobody is there to; each with when we were told. Call inside a transaction."""
    choices = preferences.current()
    text, since = choices.away_text, opening_hours.closed_since(choices, now())
    if not text or since is None:
        return
    wanted: dict[str, Message] = {}
    for message, arrived_at in received:
        if _wants_answer(message, text, arrived_at):
            wanted.setdefault(_key(message, since), message)
    if not wanted:
        return
    answered = set(session.scalars(select(Message.dedup_key).where(Message.dedup_key.in_(wanted))))
    left = [(one, key) for key, one in wanted.items() if key not in answered]
    incoming.answer_by_itself(session, left, text, expires_at=now() + FRESH)


def _key(message: Message, since: datetime) -> str:
    """One for each person, phone and absence."""
    facts = f"{message.phone_id}\0{message.number}\0{since.isoformat()}"
    return AWAY_ANSWER + hashlib.sha256(facts.encode()).hexdigest()[:56]


def _wants_answer(message: Message, text: str, arrived_at: datetime) -> bool:
    """Whether a person wrote it, and just now: no short code, no name, no echo, no STOP, no yes to a campaign."""
    said = " ".join(message.text.split())
    return (
        arrived_at > now() - FRESH
        and message.created_at > now() - FRESH - ZONES
        and telephone_numbers.read(message.number)[0] is not None
        and said.casefold() != " ".join(text.split()).casefold()
        and not (is_stop(said) or is_like_stop(said))
        and not (message.answered_campaign_id and (is_yes(said) or is_no(said)))
    )
