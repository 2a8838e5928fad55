"""The team's choices: each with its default, its meaning, and how it is read."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass

import phonenumbers
from flask import g, has_app_context
from sqlalchemy import select

from .. import refusals
from ..extensions import db
from ..i18n import N_
from ..models import Action, Preference
from ..storage.transactions import transaction
from . import audit

# Public holidays differ: the keys are those of the package `holidays` for France.
REGIONS = {
    "": N_("France métropolitaine"),
    "Alsace-Moselle": N_("Alsace et Moselle"),
    "GP": N_("Guadeloupe"),
    "GF": N_("Guyane"),
    "RE": N_("La Réunion"),
    "MQ": N_("Martinique"),
    "YT": N_("Mayotte"),
    "NC": N_("Nouvelle-Calédonie"),
    "PF": N_("Polynésie française"),
    "BL": N_("Saint-Barthélemy"),
    "MF": N_("Saint-Martin"),
    "PM": N_("Saint-Pierre-et-Miquelon"),
    "WF": N_("Wallis-et-Futuna"),
}
UNDO_SECONDS = (0, 10, 60)
# How long what nobody needs is kept, in days; see retention.py.
LEAST_DAYS, MOST_DAYS = 15, 3_650
UNDO_SINGLE_SECONDS = (0, 5, 10, 30)
# France and its territories overseas, which have country codes of their own.
FRANCE = ("FR", "GP", "GF", "RE", "MQ", "YT", "NC", "PF", "BL", "MF", "PM", "WF")
STOP_ANSWER = N_("Demande prise en compte, vous ne recevrez plus de messages.")


@dataclass(frozen=True)
class Choices:
    """All preferences, as they are now."""

    region: str = ""
    undo_seconds: int = 10
    """How long a campaign waits after "send", so that it can be called back."""
    countries: tuple[str, ...] = FRANCE
    """Where SMS may go, as ISO codes; empty for everywhere."""
    stop_answer: str = ""
    """What is answered, once, to somebody who says STOP; empty for nothing."""
    undo_single: int = 5
    """How long an SMS written by hand waits after "send", so that it can be called back."""
    open_days: tuple[int, ...] = ()
    """Days on which the team is there, 0 for Monday; none for a team that keeps no hours."""
    opens: str = "09:00"
    closes: str = "18:00"
    away_text: str = ""
    """What is answered outside of these hours; empty for nothing."""
    keep_callbacks: int = 90
    """Days that raw callbacks are kept, once they were applied."""
    landlines: bool = False
    """Whether SMS may go to landlines: some operators read them out, most lose them, all are paid."""
    default_country: str = "FR"
    """Whose national numbers people write, as an ISO code."""
    preferred_countries: tuple[str, ...] = ()
    """Whose national numbers are tried where the default country has no such number."""
    keep_details: int = 365
    """Days that reviews, requests and the steps of a message's history are kept, once all is over."""


class Invalid(refusals.Invalid):
    """A choice that cannot be."""


def current() -> Choices:
    """What the team chose, defaults included."""
    chosen = select(Preference).where(Preference.name.in_(Choices.__dataclass_fields__))
    stored = {row.name: json.loads(row.value) for row in db.session.scalars(chosen)}
    for name in ("countries", "open_days", "preferred_countries"):
        if name in stored:
            stored[name] = tuple(stored[name])
    return Choices(**stored)


def read(
    region: str,
    undo_seconds: str,
    countries: str,
    stop_answer: str,
    undo_single: str = "5",
    open_days: Collection[str] = (),
    opens: str = "09:00",
    closes: str = "18:00",
    away_text: str = "",
    keep_callbacks: str = "90",
    keep_details: str = "365",
    landlines: str = "",
    default_country: str = "FR",
    preferred_countries: str = "",
) -> Choices:
    """The choices that were typed. Raises Invalid."""
    errors = {}
    if region not in REGIONS:
        errors["region"] = N_("Choisissez une région de la liste.")
    if undo_seconds not in map(str, UNDO_SECONDS):
        errors["undo_seconds"] = N_("Choisissez une durée de la liste.")
    if len(stop_answer) > 300:
        errors["stop_answer"] = N_("Cette réponse est trop longue : 300 caractères au plus.")
    if undo_single not in map(str, UNDO_SINGLE_SECONDS):
        errors["undo_single"] = N_("Choisissez une durée de la liste.")
    days = tuple(day for day in range(7) if str(day) in open_days)
    if not (_is_time(opens) and _is_time(closes) and opens < closes):
        errors["opens"] = N_("Écrivez deux heures, la première avant la seconde, par exemple 09:00 et 18:00.")
    codes, preferred, home = _codes(countries), _codes(preferred_countries), default_country.strip().upper()
    errors |= _wrong_countries(home, countries=codes, preferred_countries=preferred)
    errors |= _wrong_away_text(away_text, days)
    errors |= _wrong_days(keep_callbacks=keep_callbacks, keep_details=keep_details)
    if errors:
        raise Invalid(errors)
    return Choices(
        region,
        int(undo_seconds),
        codes,
        stop_answer.strip(),
        int(undo_single),
        days,
        opens,
        closes,
        away_text.replace("\0", "").strip(),
        int(keep_callbacks),
        landlines=bool(landlines),
        default_country=home,
        preferred_countries=preferred,
        keep_details=int(keep_details),
    )


def _codes(typed: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"[A-Z]+", typed.upper())))


def _wrong_countries(home: str, **codes: tuple[str, ...]) -> dict[str, str]:
    sentence = N_("Écrivez des codes de pays à deux lettres, par exemple : FR, BE, CH.")
    known = phonenumbers.SUPPORTED_REGIONS
    errors = {name: sentence for name, some in codes.items() if not known.issuperset(some)}
    if home not in known:
        errors["default_country"] = N_("Écrivez le code d’un pays, à deux lettres, par exemple : FR.")
    return errors


def countries_of_numbers() -> tuple[str, ...]:
    """Whose national numbers people write: asked for once in a request, a job or a command."""
    if not has_app_context():
        return ("FR",)
    if "countries_of_numbers" not in g:
        chosen = current()
        g.countries_of_numbers = tuple(dict.fromkeys((chosen.default_country, *chosen.preferred_countries)))
    found: tuple[str, ...] = g.countries_of_numbers
    return found


def _wrong_away_text(away_text: str, days: tuple[int, ...]) -> dict[str, str]:
    if len(away_text) > 300:
        return {"away_text": N_("Cette réponse est trop longue : 300 caractères au plus.")}
    if away_text.strip() and not days:
        sentence = N_("Cochez vos jours d’ouverture : sans eux, RaspiSMS ne sait pas quand répondre.")
        return {"away_text": sentence}
    return {}


def _wrong_days(**typed: str) -> dict[str, str]:
    sentence = N_("Écrivez un nombre de jours, de 15 à 3650.")
    return {
        name: sentence
        for name, raw in typed.items()
        if not (raw.isascii() and raw.isdecimal() and LEAST_DAYS <= int(raw[:9]) <= MOST_DAYS)
    }


def _is_time(raw: str) -> bool:
    return re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", raw) is not None


def save(choices: Choices, user_id: int | None = None) -> None:
    """Keep them."""
    g.pop("countries_of_numbers", None)
    with transaction() as session:
        for name in Choices.__dataclass_fields__:
            session.merge(Preference(name=name, value=json.dumps(getattr(choices, name), ensure_ascii=False)))
        audit.record(session, user_id, Action.PREFERENCES_CHANGED)
