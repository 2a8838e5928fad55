"""Accepting messages: one row per recipient, committed, and only then the bell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import job_queue
from ..clock import now
from ..conversations import counting
from ..extensions import bell, db
from ..i18n import N_
from ..messages.history import add
from ..models import Direction, Lane, Message, Phone, Status
from ..models.message import batch_key
from ..people import opt_outs
from ..phones.settings import adapter_class
from ..sms import segments
from ..storage.transactions import transaction


class Refused(ValueError):
    """It cannot be accepted, and nothing was; str(error) is a sentence (a msgid)."""


class TextRefused(Refused):
    """The text cannot be an SMS."""


class TooLate(Refused):
    """It would be of no use before it could leave."""


@dataclass(frozen=True)
class Posted:
    """What became of a request to send."""

    messages: list[Message]
    opted_out: list[str]
    """Numbers left out because they said STOP."""


def clean_text(text: str, phone: Phone) -> str:
    """The text as it will be sent: line ends as telephones have them. Raises TextRefused."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if not text.strip():
        raise TextRefused(N_("Écrivez un texte."))
    if len(text) > adapter_class(phone.adapter).max_text:
        raise TextRefused(N_("Ce texte est trop long pour ce téléphone : raccourcissez-le."))
    return text


def check_expiry(expires_at: datetime | None) -> None:
    """Raises TooLate for a limit that has passed."""
    if expires_at is not None and expires_at <= now():
        raise TooLate(N_("L’heure « inutile après » est déjà passée : choisissez-en une à venir."))


def post(
    phone: Phone,
    numbers: Iterable[str],
    text: str,
    *,
    user_id: int | None = None,
    lane: Lane = Lane.SINGLE,
    reply_to_id: int | None = None,
    purpose: str = "alert",
    form_key: str | None = None,
    expires_at: datetime | None = None,
    tag: str | None = None,
    hold_seconds: int = 0,
    check: Callable[[Session], None] | None = None,
    also: Callable[[], None] | None = None,
) -> Posted:
    """Accept one text for numbers in E.164, each once, and ring the bell.

    With a `form_key`, posting the same form again gives back the same messages instead of new ones; it says what the
    person typed and chose, and nothing that was computed for them (a phone, when any would do).
    What has not left by `expires_at` does not leave any more. For `hold_seconds` it can be called back.
    `check` is asked under the write lock, before anything new is written, and may raise what it likes; `also` is
    done in the same transaction.
    Raises TextRefused, TooLate, StorageUnavailable.
    """
    text = clean_text(text, phone)
    check_expiry(expires_at)
    wanted = list(dict.fromkeys(numbers))
    row = _row(phone, text, purpose, expires_at, hold_seconds) | {
        "lane": lane,
        "user_id": user_id,
        "reply_to_id": reply_to_id,
        "tag": tag,
    }
    facts = f"{form_key}\0{row['batch_key']}" if form_key else None
    with transaction() as session:
        silent = opt_outs.silent(session, wanted)
        posted = {message.number: message for message in _already_posted(facts, wanted)}
        new = [
            Message(**row, number=number, dedup_key=_dedup_key(facts, number))
            for number in wanted
            if number not in silent and number not in posted
        ]
        if check is not None and new:
            check(session)
        _accept(session, new, user_id)
        if also is not None:
            also()
    bell.ring(job_queue.SENDING, job_queue.DRAIN, phone.account_id, timeout=job_queue.DRAIN_SECONDS)
    return Posted([*posted.values(), *new], [number for number in wanted if number in silent])


def _row(phone: Phone, text: str, purpose: str, expires_at: datetime | None, hold_seconds: int) -> dict[str, Any]:
    """What all messages of one posting have in common."""
    held = {"status": Status.HELD, "held_until": now() + timedelta(seconds=hold_seconds)} if hold_seconds else {}
    return {
        "direction": Direction.OUT,
        "phone_id": phone.id,
        "text": text,
        "status": Status.QUEUED,
        "purpose": purpose,
        "batch_key": batch_key(text, purpose, expires_at),
        "parts": segments.count(text).parts,
        "expires_at": expires_at,
        **held,
    }


def _accept(session: Session, messages: list[Message], user_id: int | None) -> None:
    session.add_all(messages)
    session.flush()
    if messages:
        add(session, messages, messages[0].status, user_id=user_id)
        counting.went_out(session, messages)


def _dedup_key(facts: str | None, number: str) -> str | None:
    """What makes the same form, posted twice, one message: an edited text or another phone is no repetition."""
    return facts and hashlib.sha256(f"form\0{facts}\0{number}".encode()).hexdigest()


def _already_posted(facts: str | None, numbers: list[str]) -> list[Message]:
    if not facts:
        return []
    keys = [_dedup_key(facts, number) for number in numbers]
    return list(db.session.scalars(select(Message).where(Message.dedup_key.in_(keys)).order_by(Message.id)))
