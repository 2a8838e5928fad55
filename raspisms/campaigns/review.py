"""The review: who gets the SMS, who does not and why, what it costs, when it ends."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from time import monotonic
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from .. import gate, pagination
from ..clock import now
from ..extensions import db
from ..figures.prices import price_of
from ..i18n import N_
from ..language import Mistake
from ..language.remote import ahead
from ..messages import hours
from ..models import Campaign, CampaignState, Fate, Group, Message, Recipient, Status
from ..pagination import Order, Page
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from . import targets
from .fates import Fates
from .outgoing_text import outgoing_now, outgoing_text
from .targets import Place, Targets, Wanted

CHUNK = 500
# What a request takes, about: for the expected end, when no pace says otherwise.
REQUEST_SECONDS = 0.4
# A run that wrote nothing for this long has died.
SILENT_AFTER = timedelta(seconds=60)
UNREADABLE_RULE = N_("La condition d’un groupe choisi est invalide : corrigez-la, puis revenez ici.")


class Step(Enum):
    """How far a look at everybody came."""

    COMPLETE = "complete"
    MORE = "more"
    """Its time was over: the next job goes on where it ended."""
    CHANGED = "changed"
    """The draft is another one now, or somebody else looks."""


def compute(campaign_id: int, between: Callable[[], None] = lambda: None, ends: float = float("inf")) -> Step:
    """Go through everybody and write down what becomes of them, until the moment `ends` (time.monotonic).

    Nothing is sent that is not in it. One run at a time; one that is silent for a minute is taken over where it was.
    `between` is called between chunks, for what must not wait.
    """
    run = uuid.uuid4().hex
    with transaction() as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None or campaign.prepared_at is not None or not _is_open(campaign):
            return Step.CHANGED
        if campaign.holder and campaign.held_at and abs(now() - campaign.held_at) < SILENT_AFTER:
            return Step.CHANGED
        campaign.holder, campaign.held_at = run, now()
        place = Place.of(campaign.cursor)
        if campaign.cursor is None:  # from here on the text is what people read, whatever the phone says later
            campaign.position, campaign.outgoing = 0, outgoing_now(campaign)
    if campaign.cursor is None and not _forget_old(campaign_id, run):
        return Step.CHANGED
    fates = Fates(campaign)
    try:
        everybody = _chunks(targets.people(Targets.of(campaign.targets), place))
        for chunk, begun in ahead(everybody, fates.begin):
            if not _store(campaign_id, run, fates.rows(chunk, begun), chunk[-1].place):
                return Step.CHANGED
            between()
            if monotonic() > ends:
                return _rest(campaign_id, run)
    except Mistake:
        return _finish(campaign_id, run, broken=True)
    return _finish(campaign_id, run)


def _forget_old(campaign_id: int, run: str) -> bool:
    """Remove what an earlier review said; False when somebody else looks by now."""
    old, stride = select(Recipient.id).where(Recipient.campaign_id == campaign_id), Stride(500)
    while True:
        with bulk_step(stride) as (session, rows):
            if session.scalar(select(Campaign.holder).where(Campaign.id == campaign_id)) != run:
                return False
            ids = session.scalars(old.limit(rows)).all()
            session.execute(delete(Recipient).where(Recipient.id.in_(ids)))
        if len(ids) < rows:
            return True


def _rest(campaign_id: int, run: str) -> Step:
    with transaction() as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None or campaign.holder != run:
            return Step.CHANGED
        campaign.holder = None
    return Step.MORE


def _is_open(campaign: Campaign) -> bool:
    return campaign.state in (CampaignState.DRAFT, CampaignState.SCHEDULED) and campaign.targets is not None


def _chunks(wanted: Iterator[Wanted]) -> Iterator[list[Wanted]]:
    while chunk := list(itertools.islice(wanted, CHUNK)):
        yield chunk


def _store(campaign_id: int, run: str, rows: list[dict[str, Any]], place: Place) -> bool:
    with transaction(bulk=True) as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None or campaign.holder != run or not _is_open(campaign):
            return False
        campaign.held_at = now()
        session.execute(insert(Recipient), [row | {"campaign_id": campaign_id} for row in rows])
        campaign.position += len(rows)
        campaign.cursor = str(place)
    return True


def _finish(campaign_id: int, run: str, *, broken: bool = False) -> Step:
    parts = db.session.scalar(
        select(func.sum(Recipient.parts)).where(Recipient.campaign_id == campaign_id, Recipient.fate == Fate.KEPT)
    )
    with transaction() as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None or campaign.holder != run:
            return Step.CHANGED
        campaign.prepared_at, campaign.holder, campaign.position = now(), None, 0
        campaign.pause_reason = UNREADABLE_RULE if broken else None
        price = price_of(campaign.phone)
        campaign.estimate = price * (parts or 0) if price is not None else None
    return Step.COMPLETE


@dataclass
class Summary:
    """What the page before sending shows."""

    fates: dict[Fate, int]
    parts: dict[int, int]
    """How many people get one part, two parts …"""
    missing: dict[str, int]
    """Data that the text speaks of, and how many people have not."""
    cost: Decimal | None
    credit_after: Decimal | None
    begins_at: datetime
    waits_until: datetime | None
    ends_at: datetime
    problems: list[str] = field(default_factory=list)
    """Why it cannot be sent as it is: sentences (msgids)."""

    @property
    def kept(self) -> int:
        return self.fates.get(Fate.KEPT, 0)

    @property
    def excluded(self) -> int:
        return sum(self.fates.values()) - self.kept

    @property
    def total_parts(self) -> int:
        return sum(parts * people for parts, people in self.parts.items())


def summary(campaign: Campaign) -> Summary:
    """The figures of a complete review."""
    session = db.session()
    mine = Recipient.campaign_id == campaign.id
    kept = (mine, Recipient.fate == Fate.KEPT)
    fates = _counted(session, Recipient.fate, mine)
    parts = _counted(session, Recipient.parts, *kept)
    begins = max(campaign.starts_at or now(), now())
    waits = hours.opening(campaign.hours, begins)
    people = sum(parts.values())
    cost = campaign.estimate
    balance = campaign.phone.balance
    found = Summary(
        fates=fates,
        parts=parts,
        missing=_counted(session, Recipient.missing, *kept, Recipient.missing.is_not(None)),
        cost=cost,
        credit_after=balance - cost if balance is not None and cost is not None else None,
        begins_at=begins,
        waits_until=waits,
        ends_at=(waits or begins) + _duration(session, campaign, people),
    )
    found.problems = list(_problems(campaign, found))
    return found


def _counted(session: Session, column: Any, *conditions: Any) -> dict[Any, int]:
    rows = session.execute(select(column, func.count()).where(*conditions).group_by(column).order_by(column))
    return {value: number for value, number in rows}


def _problems(campaign: Campaign, found: Summary) -> Iterable[str]:
    if campaign.pause_reason:
        yield campaign.pause_reason
    if campaign.phone.is_deleted:
        yield gate.Refusal(gate.Reason.PHONE_DELETED).sentence
    chosen = Targets.of(campaign.targets).groups
    if chosen and len(chosen) > db.session.query(Group).filter(Group.id.in_(chosen)).count():
        yield N_("Un groupe choisi n’existe plus : modifiez la campagne.")
    if not found.kept:
        yield N_("Personne ne recevrait ce SMS : voyez ci-dessous pourquoi.")
    if found.fates.get(Fate.MISTAKE):
        yield N_(
            "Le texte ne peut pas être calculé pour tout le monde : corrigez-le, personne n’est oublié en silence."
        )
    if gate.lacks_mention(outgoing_text(campaign), campaign.purpose):
        yield gate.Refusal(gate.Reason.NO_MENTION).sentence
    if campaign.expires_at is not None and campaign.expires_at <= (found.waits_until or found.begins_at):
        yield N_("L’heure « inutile après » arrive avant le début de l’envoi.")


def _duration(session: Session, campaign: Campaign, people: int) -> timedelta:
    """How long it takes, about: by its pace, or by requests of 500 of one text."""
    ahead = (
        session.scalar(
            select(func.count()).where(Message.phone_id == campaign.phone_id, Message.status == Status.QUEUED)
        )
        or 0
    )
    if campaign.phone.pace:
        return timedelta(minutes=(people + ahead) / campaign.phone.pace)
    texts = (
        session.scalar(
            select(func.count(func.distinct(Recipient.text))).where(
                Recipient.campaign_id == campaign.id, Recipient.fate == Fate.KEPT
            )
        )
        or 1
    )
    requests = max(texts, (people + ahead) / 500)
    return timedelta(seconds=requests * REQUEST_SECONDS)


ORDER: Order[Recipient] = Order(Recipient.id, descending=False)


def recipients(campaign_id: int, fate: Fate, after: str | None) -> Page[Recipient]:
    """People of the review with this fate, in the order in which they were found."""
    query = select(Recipient).where(Recipient.campaign_id == campaign_id, Recipient.fate == fate)
    return pagination.page(query, ORDER, after)


def everybody(campaign_id: int) -> Iterator[Recipient]:
    """All people of the review, a chunk at a time."""
    return pagination.everything(select(Recipient).where(Recipient.campaign_id == campaign_id), ORDER)
