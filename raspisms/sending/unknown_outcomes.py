"""Messages of which nobody can tell whether they left: a person decides, and the history says who."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from .. import gate
from ..campaigns import lifecycle, recipients
from ..extensions import bell, db
from ..i18n import N_
from ..messages import attempts
from ..messages.history import add
from ..models import Campaign, Message, Status, Submission, SubmissionState
from ..models.message import STOP_ANSWER, batch_key
from ..storage.transactions import transaction
from . import eligible

SENT_AGAIN = N_("Renvoyé par décision d’une personne, malgré le doute.")
ASSUMED_SENT = N_("Considéré comme envoyé par décision d’une personne.")


class Refused(lifecycle.Refused):
    """The message is in no doubt any more; str(error) is a sentence (a msgid)."""


def doubtful() -> Select[Message]:
    """The messages that wait for a person's decision."""
    return (
        select(Message)
        .outerjoin(Submission, Message.submission_id == Submission.id)
        .where(Message.status == Status.UNKNOWN)
        .where((Submission.state == SubmissionState.UNKNOWN) | _never_left())
    )


def _never_left() -> ColumnElement[bool]:
    """What was kept back after a restore: no request of ours is known of it."""
    return and_(Message.submission_id.is_(None), Message.sent_at.is_(None))


def count() -> int:
    """How many there are."""
    return db.session.scalar(select(func.count()).select_from(doubtful().subquery())) or 0


def is_doubtful(message: Message) -> bool:
    """Whether this message waits for a person's decision."""
    submission = message.submission
    unknown = message.sent_at is None if submission is None else submission.state is SubmissionState.UNKNOWN
    return message.status is Status.UNKNOWN and unknown


def send_again(message_id: int, user_id: int) -> Message:
    """Send it once more under a new request: it may arrive twice. Raises Refused."""
    with transaction() as session:
        message = _get(message_id)
        if message.campaign_id is not None:
            lifecycle.check_settled(session, message.campaign_id)
        _check_person(session, message)
        attempts.keep(session, Message.id == message.id)
        message.submission_id = message.sent_at = message.figures_at = message.unreported_at = None
        # A person wants it now, whatever was once its limit; so it leaves in a request without one.
        message.expires_at = None
        message.batch_key = batch_key(message.text, message.purpose)
        add(session, [message], Status.QUEUED, reason=SENT_AGAIN, user_id=user_id)
        if message.campaign_id is not None:
            lifecycle.reopen(session, message.campaign_id)
        account_id = message.phone.account_id
    bell.ring_drain(account_id)
    return message


def _check_person(session: Session, message: Message) -> None:
    """Raises Refused, with the gate's own words, where nothing may be sent to this person any more."""
    if message.campaign_id is not None:
        refused = recipients.refused(session, [message.number], session.get_one(Campaign, message.campaign_id))
    else:
        is_answer = (message.dedup_key or "").startswith(STOP_ANSWER)
        refused = gate.may_get(
            session,
            [message.number],
            message.purpose,
            answers_stop=is_answer,
            answered=eligible.answered_by_hand(session, [message.id]),
            wrote=eligible.answered(session, [message.id]),
        )
    for refusal in refused.values():
        raise Refused(refusal.sentence, values=refusal.values)


def assume_sent(message_id: int, user_id: int) -> Message:
    """Leave it at that; a late report may still tell more. Raises Refused."""
    with transaction() as session:
        message = _get(message_id)
        add(session, [message], Status.SENT, reason=ASSUMED_SENT, user_id=user_id)
    return message


def _get(message_id: int) -> Message:
    message = db.session.get(Message, message_id)
    if message is None or not is_doubtful(message):
        raise Refused(N_("Ce SMS n’est plus dans le doute : rien n’a été changé."))
    return message
