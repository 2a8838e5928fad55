""" "Pourquoi ?": what to do about the state of a message, and what the provider itself said of it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import format_time, gettext, ngettext, to_user_timezone
from sqlalchemy import func, select

from ..clock import now
from ..extensions import db
from ..messages import hours, restored
from ..models import Campaign, CampaignState, Contact, JournalEntry, Message, Status, Trial
from ..operations import health
from .filters import exact

# Of a callback, in characters.
LONGEST = 8_000


@dataclass(frozen=True)
class Advice:
    """What to do, and where."""

    sentence: str
    url: str | None = None
    label: str = ""


def on(message: Message) -> Advice | None:
    """What somebody can do about it; None when there is nothing to do."""
    if message.is_unreported or (message.status is Status.SENT and message.report_words):
        return Advice(gettext("Il est parti ; seul l’opérateur du destinataire sait s’il est arrivé. Demandez-le-lui."))
    match message.status:
        case Status.FAILED:
            return _on_failure(message)
        case Status.UNKNOWN:
            return Advice(gettext("Demandez à la personne si elle l’a reçu, avant de le renvoyer."))
        case Status.EXPIRED:
            return Advice(gettext("Rien n’est parti, rien n’est facturé. Réécrivez-le s’il est encore utile."))
        case Status.QUEUED:
            return _on_waiting(message)
    return None


def _on_waiting(message: Message) -> Advice:
    """What it waits for: whatever holds it up longest is said first."""
    held = restored.held_up_to(db.session())
    if held is not None and message.id <= held:
        return Advice(gettext("Il est retenu depuis qu’une copie a été restaurée : un administrateur doit décider."))
    if not message.phone.can_send:
        url = url_for("phones.index", _anchor=f"phone-{message.phone_id}")
        sentence = gettext("Son téléphone n’envoie pas : il partira tout seul quand le téléphone enverra de nouveau.")
        return Advice(sentence, url, gettext("Voir le téléphone"))
    campaign = db.session.get(Campaign, message.campaign_id) if message.campaign_id else None
    if campaign is not None and (sentence := _of_campaign(campaign)):
        return Advice(sentence, url_for("campaigns.show", campaign_id=campaign.id), gettext("Voir la campagne"))
    for trouble in health.troubles():
        return Advice(gettext(trouble.what))
    account = message.phone.account
    if account.is_waiting and account.not_before is not None:
        at = format_time(to_user_timezone(account.not_before), "HH:mm", rebase=False)
        return Advice(gettext("Le fournisseur n’a pas pu le prendre : prochain essai à %(time)s.", time=at))
    # Of its campaign, or of what is written by hand: campaigns take turns, and let that pass.
    before = db.session.scalar(
        select(func.count()).where(
            Message.status == Status.QUEUED,
            Message.phone_id == message.phone_id,
            Message.campaign_id.is_(None) if campaign is None else Message.campaign_id == campaign.id,
            Message.id < message.id,
        )
    )
    if before:
        return Advice(ngettext("%(num)s SMS part avant lui.", "%(num)s SMS partent avant lui.", before))
    return Advice(gettext("Il part dans un instant."))


def _of_campaign(campaign: Campaign) -> str | None:
    """Why the messages of a campaign wait, if it is the campaign."""
    if campaign.state is CampaignState.PAUSED:
        return str(gettext("Sa campagne est suspendue."))
    if campaign.state is CampaignState.SCHEDULED:
        return str(gettext("Sa campagne n’a pas encore commencé."))
    if opens := hours.opening(campaign.hours, now()):
        return str(gettext("Il attend les heures d’envoi de sa campagne, à partir du %(date)s.", date=exact(opens)))
    if campaign.trial_state in (Trial.WAITING, Trial.FAILED):
        return str(gettext("Sa campagne attend les accusés de ses premiers SMS."))
    return None


def _on_failure(message: Message) -> Advice:
    contact = db.session.scalar(select(Contact).where(Contact.number == message.number).limit(1))
    if contact is not None and contact.fault is not None:
        url = url_for("contacts.edit", contact_id=contact.id)
        return Advice(gettext("Le numéro semble faux : corrigez-le."), url, gettext("Corriger le numéro"))
    return Advice(gettext("Vérifiez le numéro avec la personne, ou réécrivez-lui plus tard."))


def as_they_came(message: Message) -> dict[int, str]:
    """The callbacks that a message's history rests on, word for word, by their id."""
    ids = [event.journal_id for event in message.events if event.journal_id]
    rows = db.session.execute(select(JournalEntry.id, JournalEntry.body).where(JournalEntry.id.in_(ids)))
    return {journal_id: body.decode("utf-8", "replace")[:LONGEST] for journal_id, body in rows}
