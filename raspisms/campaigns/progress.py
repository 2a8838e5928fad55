"""How a campaign is getting on: counts, rate, cost, and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, func, select

from ..clock import now
from ..extensions import db
from ..models import Answer, Campaign, CampaignState, Message, Status
from ..sms.folding import fold
from . import lifecycle

LEFT = (Status.SENT, Status.DELIVERED, Status.FAILED, Status.UNKNOWN)
# The rate is that of the last minute: what counts for the time that remains.
RATE_WINDOW = timedelta(seconds=60)
CHUNK = 1_000
# The newest campaigns that a search looks through.
SEARCHED = 5_000


def containing(words: str) -> ColumnElement[bool]:
    """The campaigns whose name or text has these words, whatever their accents and capitals: a condition on Campaign.

    They are few, and databases disagree about capitals: the newest are looked through here.
    """
    wanted = fold(words)
    rows = db.session.execute(
        select(Campaign.id, Campaign.name, Campaign.text).order_by(Campaign.id.desc()).limit(SEARCHED)
    )
    return Campaign.id.in_([row.id for row in rows if wanted in fold(f"{row.name} {row.text}")])


@dataclass
class Progress:
    """What the page of a campaign shows."""

    counts: dict[Status, int]
    cost: Decimal | None
    rate: float
    """SMS a second, of the last minute."""
    state: CampaignState
    pace: int | None = None
    """SMS a minute that its phone may send."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def gone(self) -> int:
        """How many left: what was cancelled, or was too late, did not."""
        return sum(self.counts[status] for status in LEFT)

    @property
    def waiting(self) -> int:
        """How many are still to leave."""
        return self.counts[Status.QUEUED] + self.counts[Status.SENDING]

    @property
    def pieces(self) -> list[tuple[str, int]]:
        """What became of them, in the order of a bar: the kind, which is a colour, and how many."""
        counts = self.counts
        found = {
            "delivered": counts[Status.DELIVERED],
            "sent": counts[Status.SENT] + counts[Status.SENDING],
            "unknown": counts[Status.UNKNOWN],
            "failed": counts[Status.FAILED] + counts[Status.EXPIRED],
            "cancelled": counts[Status.CANCELLED],
        }
        return [(kind, number) for kind, number in found.items() if number]

    @property
    def remaining(self) -> timedelta | None:
        """How long it still takes at this rate; None when that cannot be said."""
        rate = self.rate or (self.pace or 0) / 60
        if not self.waiting or rate <= 0 or self.state is not CampaignState.SENDING:
            return None
        return timedelta(seconds=self.waiting / rate)

    @property
    def ends_at(self) -> datetime | None:
        """When it will be over at this rate, or at its phone's pace before there is one."""
        return None if self.remaining is None else now() + self.remaining


def brief(campaigns: list[Campaign]) -> list[Progress]:
    """How each of a few campaigns stands, for a list: counts only, all in one question."""
    found = {campaign.id: dict.fromkeys(Status, 0) for campaign in campaigns}
    rows = db.session.execute(
        select(Message.campaign_id, Message.status, func.count())
        .where(Message.campaign_id.in_(found))
        .group_by(Message.campaign_id, Message.status)
    )
    for campaign_id, status, number in rows:
        if campaign_id is not None:
            found[campaign_id][status] = number
    return [Progress(found[campaign.id], None, 0.0, campaign.state) for campaign in campaigns]


def of(campaign: Campaign) -> Progress:
    """A campaign's progress now."""
    counts = lifecycle.counts(campaign.id)
    mine = Message.campaign_id == campaign.id
    cost = db.session.scalar(select(func.sum(Message.cost)).where(mine))
    rate = 0.0
    if campaign.state is CampaignState.SENDING and counts[Status.QUEUED]:
        since = now() - RATE_WINDOW
        sent = db.session.execute(
            select(func.count(), func.min(Message.sent_at)).where(mine, Message.sent_at > since)
        ).one()
        elapsed = max(1.0, (now() - sent[1]).total_seconds()) if sent[1] else 1.0
        rate = sent[0] / elapsed
    return Progress(counts, cost, rate, campaign.state, campaign.phone.pace)


@dataclass(frozen=True)
class Answers:
    """What people replied to a campaign: each counts once, by their last word."""

    yes: int
    no: int
    other: int


def answers(campaign_id: int) -> Answers:
    """How many people answered yes, no, or something that somebody should read."""
    mine = Message.answered_campaign_id == campaign_id
    recognised = (
        select(func.max(Message.id)).where(mine, Message.answer.is_not(None)).group_by(Message.number).scalar_subquery()
    )
    counted = {
        answer: number
        for answer, number in db.session.execute(
            select(Message.answer, func.count()).where(Message.id.in_(recognised)).group_by(Message.answer)
        )
    }
    people = db.session.scalar(select(func.count(Message.number.distinct())).where(mine)) or 0
    yes, no = counted.get(Answer.YES, 0), counted.get(Answer.NO, 0)
    return Answers(yes, no, people - yes - no)


KINDS = ("yes", "no", "other", "none")


def answering(campaign_id: int, kind: str) -> Select[Message]:
    """What people answered, each by their last word, of one kind; with "none", our SMS to those who said nothing."""
    mine = Message.answered_campaign_id == campaign_id
    if kind == "none":
        heard = select(Message.number).where(mine)
        reached = Message.status.in_((Status.SENT, Status.DELIVERED))
        return select(Message).where(Message.campaign_id == campaign_id, reached, Message.number.not_in(heard))
    recognised = select(func.max(Message.id)).where(mine, Message.answer.is_not(None)).group_by(Message.number)
    if kind in ("yes", "no"):
        return select(Message).where(Message.id.in_(recognised), Message.answer == Answer(kind))
    clear = select(Message.number).where(mine, Message.answer.is_not(None))
    last = select(func.max(Message.id)).where(mine, Message.number.not_in(clear)).group_by(Message.number)
    return select(Message).where(Message.id.in_(last))


def messages(campaign_id: int, status: str) -> Select[Message]:
    """A campaign's messages, those of one status if it is one."""
    query = select(Message).where(Message.campaign_id == campaign_id)
    if status in {one.value for one in Status}:
        query = query.where(Message.status == Status(status))
    return query


def everybody(campaign_id: int) -> Iterator[Message]:
    """All messages of a campaign, by id, a chunk at a time."""
    last = 0
    while True:
        query = select(Message).where(Message.campaign_id == campaign_id, Message.id > last)
        found = list(db.session.scalars(query.order_by(Message.id).limit(CHUNK)))
        if not found:
            return
        yield from found
        last = found[-1].id
        db.session.expunge_all()
