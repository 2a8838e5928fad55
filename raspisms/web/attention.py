"""What needs somebody now, and how it goes: for the dashboard and the screen on the wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Select, func, select

from .. import clock
from ..clock import now
from ..conversations import counting
from ..extensions import db
from ..figures import days
from ..figures.failures import Cause, causes
from ..messages import restored
from ..models import (
    Campaign,
    CampaignState,
    Contact,
    Conversation,
    Direction,
    Group,
    Message,
    Phone,
    Status,
)
from ..models.phone import SENDING_STATUSES
from ..operations import health
from ..people import opt_outs
from ..phones import choosing
from ..receiving import incoming, journal
from ..receiving.inbox import inbox
from ..sending import unknown_outcomes
from ..team import users

# Failures of this long are news; older ones are in the list.
RECENT = timedelta(hours=24)
# Whatever waits for so long has been forgotten by somebody.
STUCK = timedelta(minutes=10)
# Of the failures, so many are looked at for their causes.
LOOKED_AT = 2_000
CAUSES = 3
# What was spent on so many days tells what a day costs.
SPENDING_DAYS = 14
# Credit that lasts for less is worth a word.
SHORT_DAYS = 7


@dataclass(frozen=True)
class Forecast:
    """What is left on an account, and how long that lasts."""

    phone: Phone
    planned: Decimal
    """Euros that what is scheduled will cost, as its reviews said."""
    a_day: Decimal
    """Euros that an average day of the last two weeks cost."""

    @property
    def days(self) -> int | None:
        """Days that the credit lasts; None when nothing is spent."""
        if self.phone.balance is None or self.a_day <= 0:
            return None
        return max(0, int((self.phone.balance - self.planned) / self.a_day))

    @property
    def is_short(self) -> bool:
        """Whether somebody should pay in soon."""
        if self.phone.balance is None:
            return False
        return self.phone.balance < self.planned or (self.days is not None and self.days < SHORT_DAYS)


@dataclass(frozen=True)
class Attention:
    """What needs somebody now."""

    unread: int
    oldest: Conversation | None
    """The conversation that waits for an answer longest."""
    waiting: int
    failures: int
    causes: list[Cause]
    doubts: int
    suspected: int
    paused_phones: list[Phone]
    paused_campaigns: list[Campaign]
    forecasts: list[Forecast]
    troubled: int
    """Callbacks that could not be applied, and files of them that were damaged."""
    stuck: int
    """Messages that have waited for longer than anything of a campaign's own explains."""
    is_restored: bool
    """Somebody has to decide about what a restored copy holds back."""
    answers: int
    """Answers that nobody wrote, in the last hour, if they are so many that no more leave; else 0."""
    troubles: tuple[health.Trouble, ...]
    """What of the program itself does not work."""

    @property
    def is_calm(self) -> bool:
        """Whether nobody needs to do anything."""
        return not (
            self.unread
            or self.oldest
            or self.failures
            or self.doubts
            or self.suspected
            or self.paused_phones
            or self.paused_campaigns
            or self.troubled
            or self.stuck
            or self.is_restored
            or self.answers
            or self.troubles
            or any(one.is_short for one in self.forecasts)
        )


def attention() -> Attention:
    """What needs somebody now."""
    failed = _recent_failures()
    waiting = select(Conversation).where(Conversation.waiting_since.is_not(None))
    forecasts = [_forecast(phone) for phone in choosing.offered() if not phone.is_training]
    return Attention(
        unread=counting.unread_count(),
        oldest=db.session.scalar(waiting.order_by(Conversation.waiting_since).limit(1)),
        waiting=db.session.scalar(select(func.count()).where(Conversation.waiting_since.is_not(None))) or 0,
        failures=db.session.scalar(select(func.count()).select_from(failed.subquery())) or 0,
        causes=causes(failed, CAUSES),
        doubts=unknown_outcomes.count(),
        suspected=opt_outs.count_suspected(),
        paused_phones=[one.phone for one in forecasts if one.phone.is_paused],
        paused_campaigns=list(
            db.session.scalars(
                select(Campaign).where(Campaign.state == CampaignState.PAUSED).order_by(Campaign.id.desc()).limit(5)
            )
        ),
        forecasts=forecasts,
        troubled=journal.count_troubled() + len(inbox().damaged()),
        stuck=_stuck(),
        is_restored=restored.current(db.session()) is not None,
        answers=_answers(),
        troubles=health.troubles(),
    )


def _stuck() -> int:
    """Messages written by hand, or of a phone that does not send, that have been in the queue for some minutes."""
    silent = select(Campaign.id).join(Phone).where(Phone.status.not_in(SENDING_STATUSES))
    count = select(func.count()).where(Message.status == Status.QUEUED, Message.created_at < now() - STUCK)
    kinds = (
        Message.campaign_id.is_(None),
        Message.campaign_id.in_(silent),
    )  # each has its index, together they have none
    return sum(db.session.scalar(count.where(kind)) or 0 for kind in kinds)


def _answers() -> int:
    lately = incoming.answers_lately(db.session())
    return lately if lately >= incoming.MOST_AN_HOUR else 0


def _recent_failures() -> Select[int]:
    """The newest failures of the last day."""
    recent = select(Message.id).where(Message.status == Status.FAILED, Message.created_at > now() - RECENT)
    return recent.order_by(Message.id.desc()).limit(LOOKED_AT)


def _forecast(phone: Phone) -> Forecast:
    # Phones of one account spend from one purse.
    sharing = list(db.session.scalars(select(Phone.id).where(Phone.account_id == phone.account_id)))
    planned = db.session.scalar(
        select(func.sum(Campaign.estimate)).where(
            Campaign.phone_id.in_(sharing), Campaign.state == CampaignState.SCHEDULED
        )
    )
    today = clock.today()
    first, last = today - timedelta(days=SPENDING_DAYS), today - timedelta(days=1)
    spent = sum((days.by_day(first, last, one, fresh=False).cost for one in sharing), Decimal(0))
    return Forecast(phone, planned or Decimal(0), spent / SPENDING_DAYS)


@dataclass(frozen=True)
class Stock:
    """How much of everything there is: the cards of the dashboard."""

    contacts: int
    groups: int
    scheduled: int


def stock() -> Stock:
    """How much of everything there is."""
    count = func.count
    return Stock(
        db.session.scalar(select(count()).select_from(Contact)) or 0,
        db.session.scalar(select(count()).select_from(Group)) or 0,
        db.session.scalar(select(count()).where(Campaign.state == CampaignState.SCHEDULED)) or 0,
    )


def latest(direction: Direction, number: int) -> list[Message]:
    """The newest messages of a direction."""
    return list(
        db.session.scalars(
            select(Message).where(Message.direction == direction).order_by(Message.id.desc()).limit(number)
        )
    )


@dataclass(frozen=True)
class Step:
    """One of the first steps: done or not."""

    name: str
    is_done: bool


def first_steps() -> list[Step]:
    """What a new installation is tried with, in order: from the first SMS to the answer to a reply."""
    sent = _has(Message.direction == Direction.OUT)
    delivered = _has(Message.status == Status.DELIVERED)
    received = _has(Message.direction == Direction.IN)
    answered = _has(Message.direction == Direction.OUT, Message.reply_to_id.is_not(None))
    own = any(not phone.is_training for phone in choosing.offered())
    known = db.session.scalar(select(Contact.id).limit(1)) is not None
    team = len(users.colleagues()) > 1
    steps = {"send": sent, "follow": delivered, "receive": received, "answer": answered}
    steps |= {"contacts": known, "colleague": team, "phone": own}
    return [Step(name, is_done) for name, is_done in steps.items()]


def _has(*which: object) -> bool:
    return db.session.scalar(select(Message.id).where(*which).limit(1)) is not None  # type: ignore[arg-type]
