"""The one gate: may this SMS be sent, and to whom? Every way in asks here, and again whoever lets it leave.

Pages, commands, campaigns and answers that nobody wrote have the same rules and give the same refusals. What a rule
needs to know is asked of the database when the question is put: an answer of an hour ago is no permission.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from .clock import now
from .i18n import N_
from .messages import hours
from .models import Contact, Hours, Message, Phone
from .models.message import StopMark
from .people import opt_outs
from .phones.settings import adapter_class
from .sms import phone_numbers
from .sms.phone_numbers import Kind
from .sms.purposes import Purpose
from .team import preferences

# A text that says itself how to stop it.
MENTION = re.compile(r"\bSTOP\s+(?:AU\s+)?(?:\d{5}|X{5})\b", re.IGNORECASE)


class Reason(StrEnum):
    """Why something may not be sent."""

    NUMBER = "number"
    SPECIAL = "special"
    LANDLINE = "landline"
    COUNTRY = "country"
    OPTED_OUT = "opted_out"
    SUSPECTED = "suspected"
    TO_CORRECT = "to_correct"
    NO_CONSENT = "no_consent"
    CHANGED = "changed"
    """Of somebody whom a review kept, and whose contact is another one by now, or gone."""
    FORGOTTEN = "forgotten"
    """Of somebody whom a review kept, so long ago that it is not known any more."""
    PHONE_DELETED = "phone_deleted"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    NO_MENTION = "no_mention"
    TOO_LATE = "too_late"
    CLOSED = "closed"


# What keeps nobody from getting the one answer to their STOP: they have just written, from a number that works.
WAIVED_FOR_STOP = (Reason.OPTED_OUT, Reason.SUSPECTED, Reason.TO_CORRECT)

# For each: the field of a form that it belongs to, and the sentence that people read (a msgid with %(number)s).
SAID: dict[Reason, tuple[str, str]] = {
    Reason.NUMBER: ("to", N_("« %(number)s » n’est pas un numéro de téléphone.")),
    Reason.SPECIAL: (
        "to",
        N_("%(number)s est un numéro spécial ou surtaxé : personne n’y lit de SMS."),
    ),
    Reason.LANDLINE: (
        "to",
        N_(
            "%(number)s est un téléphone fixe : il ne reçoit pas de SMS. "
            "Un administrateur peut permettre ces envois dans « Réglages »."
        ),
    ),
    Reason.COUNTRY: (
        "to",
        N_(
            "%(number)s est dans un pays vers lequel vos envois ne sont pas permis : "
            "un administrateur peut l’ajouter dans « Réglages »."
        ),
    ),
    Reason.OPTED_OUT: ("to", N_("%(number)s a envoyé STOP : rien ne lui a été envoyé.")),
    Reason.SUSPECTED: (
        "to",
        N_(
            "%(number)s a peut-être demandé de ne plus recevoir de SMS : dites d’abord, dans « SMS STOP », "
            "si c’était un STOP."
        ),
    ),
    Reason.TO_CORRECT: (
        "to",
        N_(
            "%(number)s est à corriger : le dernier SMS a échoué à cause du numéro. Corrigez la fiche, ou confirmez-la."
        ),
    ),
    Reason.NO_CONSENT: (
        "purpose",
        N_("%(number)s n’a pas donné son accord pour la publicité : notez-le dans sa fiche, ou n’envoyez rien."),
    ),
    Reason.CHANGED: ("to", N_("La fiche de %(number)s a été supprimée ou corrigée depuis : rien ne lui est renvoyé.")),
    Reason.FORGOTTEN: (
        "to",
        N_(
            "Cette campagne est trop ancienne : ce qui était su de %(number)s a été effacé. "
            "Dupliquez la campagne pour lui écrire de nouveau."
        ),
    ),
    Reason.PHONE_DELETED: ("phone", N_("Ce téléphone a été supprimé : choisissez-en un autre.")),
    Reason.EMPTY: ("text", N_("Écrivez un texte.")),
    Reason.TOO_LONG: ("text", N_("Ce texte est trop long pour ce téléphone : raccourcissez-le.")),
    Reason.NO_MENTION: (
        "text",
        N_(
            "Une publicité doit dire comment l’arrêter : ajoutez le numéro court de STOP dans les réglages du "
            "téléphone, ou écrivez la mention dans le texte."
        ),
    ),
    Reason.TOO_LATE: ("expires_at", N_("L’heure « inutile après » est déjà passée : choisissez-en une à venir.")),
    Reason.CLOSED: (
        "hours",
        N_(
            "Ce SMS ne peut pas partir maintenant : les heures d’envoi sont passées. Programmez-le, ou réessayez alors."
        ),
    ),
}


@dataclass(frozen=True)
class Refusal:
    """What is refused, which field it belongs to, and the sentence."""

    reason: Reason
    number: str = ""

    @property
    def field(self) -> str:
        """The field of a form."""
        return SAID[self.reason][0]

    @property
    def sentence(self) -> str:
        """A msgid."""
        return SAID[self.reason][1]

    @property
    def values(self) -> dict[str, str]:
        """What the sentence speaks of."""
        return {"number": phone_numbers.pretty(self.number)} if self.number else {}


@dataclass(frozen=True)
class Verdict:
    """What the gate says: of the SMS as a whole, and of those whom it would go to."""

    whole: Refusal | None = None
    refused: dict[str, Refusal] = field(default_factory=dict)
    """By number, as it was asked about; who is not among them may get it."""


def may_send(
    session: Session,
    numbers: Collection[str],
    *,
    phone: Phone,
    text: str,
    purpose: Purpose = Purpose.INFORMATION,
    hours: Hours | None = None,
    expires_at: datetime | None = None,
    agreed: Collection[str] = (),
    answers_stop: bool = False,
    answered: Collection[str] = (),
    wrote: Collection[str] = (),
) -> Verdict:
    """Whether this SMS may be sent now, and to which of these numbers (E.164, a few thousand at most).

    `hours` are those that somebody chose, the purpose's own otherwise; `agreed` are numbers whose consent to
    advertising was stated with the list; `answers_stop` is for the one answer to a STOP; `answered` are numbers whose
    own message somebody answers by hand: to ask what they meant must be possible while nobody knows. `wrote` are those
    that an SMS came from, whoever answers it: one can go there, be it a landline.
    """
    whole = may_leave(phone, text, purpose, hours=hours, expires_at=expires_at)
    people = may_get(
        session, numbers, purpose, agreed=agreed, answers_stop=answers_stop, answered=answered, wrote=wrote
    )
    return Verdict(whole, people)


# -- the SMS as a whole -------------------------------------------------------------------------------------


def may_leave(
    phone: Phone,
    text: str,
    purpose: Purpose = Purpose.INFORMATION,
    *,
    hours: Hours | None = None,
    expires_at: datetime | None = None,
) -> Refusal | None:
    """What speaks against an SMS that would leave now, whoever gets it: its text, its limit, the hour."""
    if wrong := wrong_text(phone, text):
        return wrong
    if lacks_mention(text, purpose):
        return Refusal(Reason.NO_MENTION)
    if expires_at is not None and expires_at <= now():
        return Refusal(Reason.TOO_LATE)
    if opens_at(purpose, hours) is not None:
        return Refusal(Reason.CLOSED)
    return None


def wrong_text(phone: Phone, text: str) -> Refusal | None:
    """What is wrong with a text on this phone, or with the phone itself."""
    if phone.is_deleted:
        return Refusal(Reason.PHONE_DELETED)
    if not text.strip():
        return Refusal(Reason.EMPTY)
    if len(text) > adapter_class(phone.adapter).max_text:
        return Refusal(Reason.TOO_LONG)
    return None


def lacks_mention(text: str, purpose: Purpose) -> bool:
    """Whether it is an advertisement that does not say how to stop it (docs/rules.md)."""
    return purpose == Purpose.ADVERTISING and MENTION.search(text) is None


def opens_at(purpose: Purpose, chosen: Hours | None = None, moment: datetime | None = None) -> datetime | None:
    """When an SMS of this purpose may leave, in UTC; None for now."""
    return hours.opening(chosen or hours.usual(purpose), moment or now())


# -- those whom it would go to ------------------------------------------------------------------------------


def may_get(
    session: Session,
    numbers: Collection[str],
    purpose: Purpose = Purpose.INFORMATION,
    *,
    agreed: Collection[str] = (),
    answers_stop: bool = False,
    answered: Collection[str] = (),
    wrote: Collection[str] = (),
) -> dict[str, Refusal]:
    """Why some of these numbers may not be written to, by number; the rest as `may_send`."""
    refused = _of_numbers(numbers, {*answered, *wrote})
    asked = [number for number in dict.fromkeys(numbers) if number not in refused]
    consenting, faulty = _known(session, asked)
    if not answers_stop:
        _refuse(refused, Reason.OPTED_OUT, opt_outs.silent(session, asked))
        _refuse(refused, Reason.SUSPECTED, _suspected(session, asked) - set(answered))
        _refuse(refused, Reason.TO_CORRECT, faulty)
    if purpose == Purpose.ADVERTISING:
        _refuse(refused, Reason.NO_CONSENT, set(asked) - consenting - set(agreed))
    return refused


def _refuse(refused: dict[str, Refusal], reason: Reason, numbers: Iterable[str]) -> None:
    """The first reason stays."""
    for number in numbers:
        refused.setdefault(number, Refusal(reason, number))


def _of_numbers(numbers: Collection[str], wrote: Collection[str]) -> dict[str, Refusal]:
    """What the numbers themselves say; an SMS that came from a number proves that one can go there."""
    chosen = preferences.current()
    allowed = set(chosen.countries)
    refused: dict[str, Refusal] = {}
    for number in numbers:
        if reason := _of_number(number, allowed, landlines=chosen.landlines or number in wrote):
            refused[number] = Refusal(reason, number)
    return refused


def _of_number(number: str, allowed: Collection[str], *, landlines: bool) -> Reason | None:
    if phone_numbers.is_french_mobile(number):  # nearly all are: none of them needs a look into the plan
        return None if not allowed or "FR" in allowed else Reason.COUNTRY
    if phone_numbers.read(number)[0] != number:
        return Reason.NUMBER
    kind = phone_numbers.kind(number)
    if not phone_numbers.gets_sms(kind, landlines=landlines):
        return Reason.LANDLINE if kind in {Kind.LANDLINE, Kind.BOX} else Reason.SPECIAL
    return Reason.COUNTRY if allowed and phone_numbers.country(number) not in allowed else None


def _suspected(session: Session, numbers: Collection[str]) -> set[str]:
    """Those of whom a message may mean STOP, and nobody has said whether it does."""
    query = select(Message.number).where(Message.stop == StopMark.SUSPECTED)
    return set(session.scalars(query)) & set(numbers)


def _known(session: Session, numbers: Collection[str]) -> tuple[set[str], set[str]]:
    """What contacts say: whose number agreed to advertising, and whose is to be corrected."""
    rows = session.execute(
        select(Contact.number, Contact.consent, Contact.fault).where(
            Contact.number.in_(numbers), or_(Contact.consent != "", Contact.fault.is_not(None))
        )
    ).all()
    return {row.number for row in rows if row.consent}, {row.number for row in rows if row.fault}
