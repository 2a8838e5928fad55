"""What may leave at this moment: asked when a request is chosen, and again before a prepared one takes off.

Choosing (`claim`) has the time to ask everything, person by person. Confirming (`confirmation`) asks the same of the
submission as a whole, in one statement; what was asked of people is not asked again within `FRESH_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.orm import Session

from .. import gate
from ..campaigns import recipients
from ..clock import now
from ..conversations import counting
from ..extensions import db
from ..i18n import N_
from ..messages import hours, restored
from ..messages.history import add_all
from ..messages.submissions import campaign_of
from ..models import (
    Campaign,
    CampaignState,
    Lane,
    Message,
    OptOut,
    Phone,
    Status,
    Submission,
    SubmissionState,
)
from ..models.message import FORM_FORGOTTEN, STOP_ANSWER
from ..models.phone import SENDING_STATUSES
from ..people.opt_outs import SAID_STOP
from ..sms.purposes import Purpose

# A prepared chunk that waited for longer is looked at person by person once more.
FRESH_SECONDS = 2.0

# Why somebody was left out at the last moment, as the history of the message says it.
LEFT_OUT: dict[gate.Reason, str] = {
    gate.Reason.CHANGED: N_("La fiche de cette personne a été supprimée ou corrigée depuis : le SMS n’est pas parti."),
    gate.Reason.FORGOTTEN: N_(
        "Cette campagne est trop ancienne, et ce qui était su de cette personne est effacé : le SMS n’est pas parti."
    ),
    gate.Reason.OPTED_OUT: SAID_STOP,
    gate.Reason.SUSPECTED: N_(
        "Cette personne a peut-être demandé de ne plus recevoir de SMS, et personne n’a encore décidé : "
        "le SMS n’est pas parti."
    ),
    gate.Reason.TO_CORRECT: N_("Ce numéro est à corriger : le SMS n’est pas parti."),
    gate.Reason.NO_CONSENT: N_(
        "Cette personne n’a pas, ou plus, donné son accord pour la publicité : le SMS n’est pas parti."
    ),
    gate.Reason.COUNTRY: N_("Les envois vers ce pays ne sont pas permis : le SMS n’est pas parti."),
    gate.Reason.SPECIAL: N_("C’est un numéro spécial ou surtaxé : le SMS n’est pas parti."),
    gate.Reason.LANDLINE: N_("C’est un téléphone fixe, qui ne reçoit pas de SMS : le SMS n’est pas parti."),
    gate.Reason.NUMBER: N_("Ce n’est pas un numéro de téléphone : le SMS n’est pas parti."),
}


# -- messages and submissions ---------------------------------------------------------------------------------


def waiting() -> ColumnElement[bool]:
    """The messages that may leave: in the queue, not past their limit, and not held back after a restore."""
    found = and_(Message.status == Status.QUEUED, or_(Message.expires_at.is_(None), Message.expires_at > now()))
    held = restored.held_up_to(db.session())
    return found if held is None else and_(found, Message.id > held)


def phones_of(account_id: ColumnElement[int] | int) -> Select[int]:
    """The phones of an account that send."""
    return select(Phone.id).where(Phone.account_id == account_id, Phone.status.in_(SENDING_STATUSES))


def open_submissions(account_id: int, lanes: Lane) -> Select[Submission]:
    """The requests that may be made or repeated now, the most urgent first."""
    return (
        select(Submission)
        .join(Phone, Submission.phone_id == Phone.id)
        .where(
            Submission.lane <= lanes,
            _is_not_held(),
            Submission.account_id == account_id,
            Submission.state == SubmissionState.OPEN,
            Submission.in_flight.is_(False),
            Submission.next_attempt_at <= now(),
            Phone.status.in_(SENDING_STATUSES),
            # A request_id means nothing to the account that a phone was moved to; see overdue.py.
            Phone.account_id == account_id,
        )
        .order_by(Submission.lane, Submission.id)
    )


def _is_not_held() -> ColumnElement[bool]:
    """Not of what a restored database holds back."""
    held = restored.held_up_to(db.session())
    if held is None:
        return true()
    return ~select(Message.id).where(Message.submission_id == Submission.id, Message.id <= held).exists()


def is_held_back(session: Session, submission: Submission) -> bool:
    """Whether this chunk's campaign was paused or cancelled since it was gathered, or its hours are over."""
    campaign = campaign_of(session, submission)
    if campaign is None:
        return gate.opens_at(submission.purpose) is not None
    return campaign.state is not CampaignState.SENDING or hours.opening(campaign.hours, now()) is not None


def nothing_against() -> Iterator[ColumnElement[bool]]:
    """The same of a prepared submission and of its people, as conditions on Submission for one statement.

    Closed hours and the STOP of somebody who was erased are not for SQL to tell; see confirmation.confirm.
    """
    mine = Message.submission_id == Submission.id
    held_back = (
        select(Campaign.id)
        .join(Message, Message.campaign_id == Campaign.id)
        .where(mine, Campaign.state != CampaignState.SENDING)
    )
    silent = select(OptOut.id).join(Message, Message.number == OptOut.number).where(mine, OptOut.lifted_at.is_(None))
    yield ~held_back.exists()
    yield ~silent.exists()


# -- people ---------------------------------------------------------------------------------------------------


def leave_out(
    session: Session, messages: Mapping[str, int], purpose: Purpose, campaign: Campaign | None
) -> dict[str, int]:
    """Cancel those of these messages (ids by number) that nothing may be sent to any more; the others.

    Call inside a transaction.
    """
    reasons = {number: LEFT_OUT[reason] for number, reason in refused(session, messages, purpose, campaign).items()}
    for reason in dict.fromkeys(reasons.values()):
        which = Message.id.in_([messages[number] for number, why in reasons.items() if why == reason])
        unanswered = counting.by_hand(session, which)
        add_all(session, which, Status.CANCELLED, reason=reason, submission_id=None, dedup_key=FORM_FORGOTTEN)
        counting.recount_of(session, unanswered)  # who waits for it waits again
    return {number: message_id for number, message_id in messages.items() if number not in reasons}


def refused(
    session: Session, messages: Mapping[str, int], purpose: Purpose, campaign: Campaign | None
) -> dict[str, gate.Reason]:
    """Why some of these people (with the ids of their messages) may not be written to any more, by number."""
    if campaign is not None:
        refusals = recipients.refused(session, list(messages), campaign)
    else:
        ids = messages.values()
        refusals = gate.may_get(
            session, messages, purpose, answered=answered_by_hand(session, ids), wrote=answered(session, ids)
        )
    answers = _answers_to_stop(session, [messages[number] for number in refusals]) if refusals else set()
    return {
        number: refusal.reason
        for number, refusal in refusals.items()
        if not (number in answers and refusal.reason in gate.WAIVED_FOR_STOP)
    }


def answered_by_hand(session: Session, ids: Collection[int]) -> set[str]:
    """Whose own message somebody answers by one of these: they may have said STOP, and be asked whether they did."""
    by_hand = (Message.id.in_(ids), Message.lane == Lane.REPLY, Message.user_id.is_not(None))
    return set(session.scalars(select(Message.number).where(*by_hand)))


def answered(session: Session, ids: Collection[int]) -> set[str]:
    """Whose own message one of these answers, whoever wrote the answer: their SMS came from there."""
    replies = (Message.id.in_(ids), Message.reply_to_id.is_not(None))
    return set(session.scalars(select(Message.number).where(*replies)))


def _answers_to_stop(session: Session, ids: list[int]) -> set[str]:
    """Its one answer may still leave."""
    answers = select(Message.number).where(Message.id.in_(ids), Message.dedup_key.startswith(STOP_ANSWER))
    return set(session.scalars(answers))
