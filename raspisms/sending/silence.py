"""Who of a request must not be written to, since they said STOP."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Message
from ..receiving import incoming, optouts
from ..words import N_

SAID_STOP = N_("Cette personne a envoyé STOP : le SMS n’est pas parti.")


def silent_among(session: Session, messages: Mapping[str, int]) -> set[str]:
    """Those of these numbers (with the ids of their messages) that said STOP; its one answer may still leave."""
    silent = optouts.silent(session, list(messages))
    if silent:
        ids = [messages[number] for number in silent]
        answers = select(Message.number).where(Message.id.in_(ids), Message.dedup_key.startswith(incoming.STOP_ANSWER))
        silent -= set(session.scalars(answers))
    return silent
