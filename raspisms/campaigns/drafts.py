"""Campaigns that are being written: kept from the first word, so that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from .. import job_queue
from ..clock import now
from ..extensions import bell, db
from ..i18n import N_
from ..models import Campaign, CampaignState, Hours, Message, Phone, Recipient, Status, Trial
from ..models.campaign import new_revision
from ..models.phone import SENDING_STATUSES
from ..phones import choosing
from ..sms.purposes import Purpose
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from . import lifecycle
from .targets import Targets

NAME_LENGTH = 120
# A draft without a text or a name is nobody's work after so long.
LEFT_BLANK = timedelta(hours=12)
NO_PHONE = N_("Il faut d’abord un téléphone pour envoyer des SMS.")
CHANGED_MEANWHILE = N_("Ce brouillon a changé depuis que cette page est ouverte : relisez-le avant de l’enregistrer.")
NOT_A_DRAFT = N_("Cette campagne est déjà lancée : dupliquez-la pour l’envoyer autrement.")


class Refused(lifecycle.Refused):
    """The campaign cannot be changed any more."""


class ChangedMeanwhile(Refused):
    """Somebody else, or the button of the same page, changed it since."""

    def __init__(self) -> None:
        super().__init__(CHANGED_MEANWHILE)


@dataclass
class Wish:
    """What the composer says."""

    phone_id: int | None
    """None for whichever is free."""
    text: str
    targets: Targets
    purpose: Purpose = Purpose.INFORMATION
    name: str = ""
    tag: str = ""
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    hours: Hours = Hours.FREE
    trial: int | None = None
    repeats: str | None = None


def save(
    campaign_id: int | None,
    wish: Wish,
    user_id: int | None,
    *,
    form_key: str | None = None,
    revision: str | None = None,
    being_written: bool = False,
) -> Campaign:
    """Keep a draft, and have its review made anew, unless it is still `being_written`. Raises Refused.

    The same page, sent twice (with the same `form_key`), is one draft. A `revision` that the page was made for must
    still be that of the draft, or have been given by the same page.
    """
    with transaction() as session:
        known = select(Campaign.id).where(Campaign.form_key == form_key) if form_key else None
        if campaign_id is None and known is not None:
            campaign_id = session.scalar(known)
        if campaign_id is None:
            campaign = Campaign(user_id=user_id, state=CampaignState.DRAFT, phone_id=0, form_key=form_key)
        else:
            campaign = _draft(session, campaign_id)
            is_own = form_key is not None and campaign.form_key == form_key
            if being_written and is_own and not campaign.being_written:
                raise ChangedMeanwhile  # what the page keeps by itself came after its button
            if revision is not None and campaign.revision != revision and not is_own:
                raise ChangedMeanwhile
            campaign.form_key = form_key or campaign.form_key
        campaign.phone_id = wish.phone_id or freest_phone(session)
        campaign.text, campaign.purpose = wish.text, Purpose(wish.purpose)
        campaign.name = " ".join((wish.name or wish.text).replace("\0", "").split())[:NAME_LENGTH]
        campaign.tag = wish.tag.replace("\0", "").strip()[:255] or None
        campaign.starts_at, campaign.expires_at = wish.starts_at, wish.expires_at
        campaign.hours, campaign.repeats = wish.hours, wish.repeats
        campaign.trial = wish.trial
        campaign.trial_state = Trial.FIRST if wish.trial else None
        campaign.targets = wish.targets.as_dict() | {"any_phone": wish.phone_id is None}
        campaign.being_written = being_written
        begin_report(session, campaign)
        session.add(campaign)
    if not being_written:
        ring(campaign.id)
    return campaign


def tidy() -> None:
    """Forget drafts that somebody opened and left without a word."""
    blank = Campaign.state == CampaignState.DRAFT, Campaign.text == "", Campaign.name == ""
    old = select(Campaign).where(*blank, Campaign.created_at < now() - LEFT_BLANK)
    for campaign in list(db.session.scalars(old)):
        if campaign.form_key is None or Targets.of(campaign.targets).is_empty:  # what was typed, somebody may want
            remove(campaign.id)


def begin_report(session: Session, campaign: Campaign) -> None:
    """Forget the review: what it was made from has changed. Call inside a transaction."""
    campaign.revision = new_revision()
    campaign.prepared_at, campaign.estimate, campaign.position = None, None, 0
    campaign.cursor = campaign.outgoing = None
    campaign.holder = None  # whoever makes the old one stops


def freest_phone(session: Session) -> int:
    """The phone that can send and has the least to send; "N’importe lequel". Raises Refused without any."""
    waiting = (
        select(func.count())
        .where(Message.phone_id == Phone.id, Message.status == Status.QUEUED)
        .correlate(Phone)
        .scalar_subquery()
    )
    able = Phone.status.in_(SENDING_STATUSES)
    among = select(Phone.id).where(Phone.id.in_(choosing.of_any()))
    found = session.scalar(among.order_by(able.desc(), waiting, Phone.id).limit(1))
    if found is None:
        raise Refused(NO_PHONE)
    return found


def _draft(session: Session, campaign_id: int) -> Campaign:
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or campaign.state is not CampaignState.DRAFT:
        raise Refused(NOT_A_DRAFT)
    return campaign


def write_to_contacts(contact_ids: Sequence[int], user_id: int | None) -> Campaign:
    """An empty draft for these contacts."""
    targets = Targets(contacts=list(contact_ids), is_purpose_chosen=False)
    with transaction() as session:
        campaign = Campaign(
            user_id=user_id,
            state=CampaignState.DRAFT,
            phone_id=freest_phone(session),
            name="",
            text="",
            purpose=Purpose.INFORMATION,
            targets=targets.as_dict() | {"any_phone": True},
        )
        session.add(campaign)
    return campaign


def duplicate(campaign_id: int, user_id: int | None) -> Campaign:
    """A draft that says the same to the same people. Raises Refused for a campaign without them."""
    numbers: list[dict[str, Any]] = []
    if db.session.get_one(Campaign, campaign_id).targets is None:  # accepted by a command: its messages are its list
        found = db.session.scalars(select(Message.number).where(Message.campaign_id == campaign_id))
        numbers = [{"number": number} for number in found]
    with transaction() as session:
        old = session.get_one(Campaign, campaign_id)
        copied = ("phone_id", "name", "text", "purpose", "hours", "tag", "trial")
        facts: dict[str, Any] = {name: getattr(old, name) for name in copied}
        targets = old.targets or Targets(numbers=numbers).as_dict()
        campaign = Campaign(**facts, user_id=user_id, state=CampaignState.DRAFT, targets=targets)
        campaign.trial_state = Trial.FIRST if campaign.trial else None
        session.add(campaign)
    ring(campaign.id)
    return campaign


def rewrite(campaign_id: int, user_id: int | None) -> Campaign:
    """A draft that takes a scheduled campaign's place once it is launched; until then that one stays. Raises Refused.

    One that was begun before is gone on with.
    """
    mine = select(Campaign.id).where(Campaign.replaces_id == campaign_id, Campaign.state == CampaignState.DRAFT)
    known = db.session.scalar(mine)
    if known is not None:
        return db.session.get_one(Campaign, known)
    old = db.session.get_one(Campaign, campaign_id)
    if old.state is not CampaignState.SCHEDULED or old.targets is None:
        raise Refused(NOT_A_DRAFT)
    kept = {name: getattr(old, name) for name in ("starts_at", "expires_at", "repeats")}
    copy = duplicate(campaign_id, user_id)
    with transaction() as session:
        draft = session.get_one(Campaign, copy.id)
        draft.replaces_id, draft.being_written = campaign_id, True
        for name, value in kept.items():
            setattr(draft, name, value)
        begin_report(session, draft)
    return draft


def remove(campaign_id: int) -> None:
    """Throw a draft away. Raises Refused."""
    with transaction() as session:
        begin_report(session, _draft(session, campaign_id))  # nobody may send it meanwhile, and no job goes on with it
    mine, stride = select(Recipient.id).where(Recipient.campaign_id == campaign_id), Stride(500)
    while True:
        with bulk_step(stride) as (session, rows):
            campaign = _draft(session, campaign_id)
            ids = session.scalars(mine.limit(rows)).all()
            session.execute(delete(Recipient).where(Recipient.id.in_(ids)))
            if len(ids) < rows:
                session.delete(campaign)
                return


def ring(campaign_id: int) -> None:
    """Have a worker go on with its review or its acceptance."""
    bell.ring(job_queue.LISTS, job_queue.WORK_CAMPAIGN, campaign_id, timeout=job_queue.LIST_SECONDS)


def get(campaign_id: int) -> Campaign | None:
    """A campaign, freshly read."""
    return db.session.get(Campaign, campaign_id, populate_existing=True)
