"""May a request that was perhaps sent be repeated? Where people say no meanwhile, they win over the count.

Repeating a `request_id` tells what became of it, and makes it leave if it never had: so it is not asked about any more
once nobody wants it to leave. What cannot be known then is said to be unknown, with the reason.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import gate
from ..clock import now
from ..delivery_reports import giving_up
from ..delivery_reports.giving_up import CANCELLED
from ..i18n import N_
from ..messages.history import add_all
from ..messages.submissions import campaign_of, named
from ..models import Campaign, CampaignState, Message, Status, Submission
from ..phones.settings import adapter_class
from . import eligible

STOPPED = N_(
    "Cette personne a envoyé STOP alors que l’on ne savait pas si ce SMS était parti : RaspiSMS ne l’a pas redemandé."
)
REFUSED = N_(
    "On ne peut plus écrire à cette personne (peut-être un STOP, accord retiré, fiche supprimée ou corrigée, numéro à "
    "corriger, téléphone fixe ou pays exclu), et l’on ne savait pas si ce SMS était parti : RaspiSMS ne l’a pas "
    "redemandé."
)
NOT_SENT = N_(
    "On ne peut plus écrire à cette personne (peut-être un STOP, accord retiré, fiche supprimée ou corrigée, numéro à "
    "corriger, téléphone fixe ou pays exclu) : le SMS n’est pas parti."
)
CLOSED = N_(
    "Les heures d’envoi sont passées alors que l’on ne savait pas si ce SMS était parti : "
    "RaspiSMS ne l’a pas redemandé."
)
# A paused campaign is looked at again after so long, or when it goes on.
PAUSE = timedelta(minutes=1)


def may(session: Session, submission: Submission) -> bool:
    """Whether it may be repeated now; where it may never be, it is closed. Call inside a transaction."""
    campaign = campaign_of(session, submission)
    if campaign is not None and not _is_wanted(session, submission, campaign):
        return False
    if (opens := gate.opens_at(submission.purpose, campaign.hours if campaign else None)) is not None:
        _wait_or_give_up(session, submission, opens)
        return False
    rows = session.execute(
        select(Message.number, Message.id).where(
            Message.submission_id == submission.id, Message.status == Status.SENDING
        )
    )
    waiting = {number: message_id for number, message_id in rows}
    refused = eligible.refused(session, waiting, submission.purpose, campaign)
    reasons = {waiting[number]: STOPPED if why is gate.Reason.OPTED_OUT else REFUSED for number, why in refused.items()}
    for reason in dict.fromkeys(reasons.values()):
        mine = [message_id for message_id, why in reasons.items() if why == reason]
        add_all(session, Message.id.in_(mine), Status.UNKNOWN, reason=reason)
    if len(refused) == len(waiting):
        giving_up.give_up(session, submission)
        return False
    # The others are asked about; the answer tells of these too, see outcome.py.
    if session.scalar(select(Message.id).where(named(submission)).limit(1)) is None:
        submission.asked_up_to = None  # of the part that was to be named, nobody is left
        session.flush()
    return True


def _is_wanted(session: Session, submission: Submission, campaign: Campaign) -> bool:
    if campaign.state is CampaignState.CANCELLED:
        giving_up.give_up(session, submission, CANCELLED)
        return False
    if campaign.state is CampaignState.PAUSED:
        submission.next_attempt_at = now() + PAUSE
        session.flush()
        return False
    return True


def _wait_or_give_up(session: Session, submission: Submission, opens: datetime) -> None:
    """Nobody is woken: it is asked about once it may leave, if the provider still knows it by then."""
    window = adapter_class(submission.phone.adapter).repeat_window or timedelta(0)
    if submission.first_attempt_at is not None and opens < submission.first_attempt_at + window:
        submission.next_attempt_at = opens
        session.flush()
    else:
        giving_up.give_up(session, submission, CLOSED)
