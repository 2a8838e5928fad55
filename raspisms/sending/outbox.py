"""Accepting messages: one row per recipient, committed, and only then the bell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import gate, refusals
from ..clock import now
from ..conversations import counting
from ..extensions import bell, db
from ..messages import outgoing
from ..models import Hours, Lane, Message, Phone
from ..sms.purposes import Purpose
from ..storage.transactions import transaction


class Refused(refusals.Refused):
    """It cannot be accepted, and nothing was."""


@dataclass(frozen=True)
class Posted:
    """What became of a request to send."""

    messages: list[Message]
    refused: list[gate.Refusal]
    """Who was left out, and why."""

    @property
    def opted_out(self) -> list[str]:
        """Numbers left out because they said STOP."""
        return [one.number for one in self.refused if one.reason is gate.Reason.OPTED_OUT]


def check(phone: Phone, text: str, purpose: Purpose, expires_at: datetime | None, hours: Hours | None = None) -> None:
    """Raises Refused for an SMS that may not leave, whoever gets it."""
    if refusal := gate.may_leave(phone, text, purpose, hours=hours, expires_at=expires_at):
        raise Refused(refusal.sentence, refusal.field)


def post(
    phone: Phone,
    numbers: Iterable[str],
    text: str,
    *,
    user_id: int | None = None,
    lane: Lane = Lane.SINGLE,
    reply_to_id: int | None = None,
    purpose: Purpose = Purpose.INFORMATION,
    form_key: str | None = None,
    expires_at: datetime | None = None,
    tag: str | None = None,
    hold_seconds: int = 0,
    before: Callable[[Session], None] | None = None,
    also: Callable[[], None] | None = None,
) -> Posted:
    """Accept one text for numbers in E.164, each once, and ring the bell.

    With a `form_key`, posting the same form again gives back the same messages instead of new ones; it says what the
    person typed and chose, and nothing that was computed for them (a phone, when any would do).
    What has not left by `expires_at` does not leave any more. For `hold_seconds` it can be called back.
    `before` is asked under the write lock, before anything new is written, and may raise what it likes; `also` is
    done in the same transaction.
    Raises Refused, StorageUnavailable.
    """
    text = outgoing.clean(text)
    wanted = list(dict.fromkeys(numbers))
    common = outgoing.common(
        phone.id,
        lane,
        purpose=purpose,
        expires_at=expires_at,
        held_until=now() + timedelta(seconds=hold_seconds) if hold_seconds else None,
        user_id=user_id,
        reply_to_id=reply_to_id,
        tag=tag,
    )
    row = outgoing.with_text(common, text)
    # What the person typed and chose, and nothing that was computed for them.
    limit = expires_at.timestamp() if expires_at else ""
    facts = f"{form_key}\0{purpose}\0{text}\0{limit}" if form_key else None
    with transaction() as session:
        answered = wanted if lane is Lane.REPLY and user_id is not None else ()
        answer = gate.may_send(
            session, wanted, phone=phone, text=text, purpose=purpose, expires_at=expires_at, answered=answered
        )
        if answer.whole is not None:
            raise Refused(answer.whole.sentence, answer.whole.field)
        posted = {message.number: message for message in _already_posted(facts, wanted)}
        new = [number for number in wanted if number not in answer.refused and number not in posted]
        if before is not None and new:
            before(session)
        messages = outgoing.post(session, (row | {"number": n, "dedup_key": _dedup_key(facts, n)} for n in new))
        counting.went_out(session, messages)
        if also is not None and (messages or posted):  # what was refused is still being written
            also()
    bell.ring_drain(phone.account_id)
    left_out = [refusal for number, refusal in answer.refused.items() if number not in posted]
    return Posted([*posted.values(), *messages], left_out)


def _dedup_key(facts: str | None, number: str) -> str | None:
    """What makes the same form, posted twice, one message: an edited text is no repetition.

    A caller whose phone was chosen says so in its key.
    """
    return facts and hashlib.sha256(f"form\0{facts}\0{number}".encode()).hexdigest()


def _already_posted(facts: str | None, numbers: list[str]) -> list[Message]:
    if not facts:
        return []
    keys = [_dedup_key(facts, number) for number in numbers]
    return list(db.session.scalars(select(Message).where(Message.dedup_key.in_(keys)).order_by(Message.id)))
