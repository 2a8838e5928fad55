""" "Pourquoi ?": what to do about the state of a message, and what the provider itself said of it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext
from sqlalchemy import select

from ..extensions import db
from ..models import Contact, JournalEntry, Message, Status

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
        case Status.QUEUED if not message.phone.can_send:
            url = url_for("phones.index", _anchor=f"phone-{message.phone_id}")
            sentence = gettext("Il partira tout seul quand le téléphone enverra de nouveau.")
            return Advice(sentence, url, gettext("Voir le téléphone"))
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
