"""Adding and changing phones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from ..adapters.base import AccountError, AdapterError, Check
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..models import Action, Phone, PhoneStatus
from ..sms import phone_numbers
from ..storage.transactions import transaction
from ..team import audit
from ..vault import vault
from . import settings, tokens
from .checking import FIRST_CHECK, NEXT_CHECK

NAME_LENGTH = 60
# Messages a minute; beyond it, no provider could tell the difference.
FASTEST_PACE = 60_000
NAME_TAKEN = N_("Ce nom est déjà utilisé pour un autre téléphone.")


@dataclass
class Draft:
    """What somebody wants a phone to be, before and after it was looked at."""

    adapter: str
    name: str
    values: dict[str, Any]
    phone: Phone | None = None
    """The phone to change; None for a new one."""
    pace: str = ""
    """Messages a minute that its campaigns may not pass, as it was typed; empty for no limit."""
    stop_number: str = ""
    """The short number that advertising names, as it was typed."""
    errors: dict[str, str] = field(default_factory=dict)
    """Sentences (msgids) by field."""


def validate(draft: Draft) -> bool:
    """Clean the draft in place and fill its errors; asks nobody. Raises settings.UnknownAdapter."""
    draft.errors.clear()
    draft.name = " ".join(draft.name.split())
    kept = settings.values_of(draft.phone) if draft.phone else {}
    for name, described in settings.adapter_class(draft.adapter).Settings.__dataclass_fields__.items():
        _validate_field(draft, name, described.metadata, str(kept.get(name, "")))
    if not draft.name:
        draft.errors["name"] = N_("Donnez un nom à ce téléphone, par exemple « Mairie ».")
    elif len(draft.name) > NAME_LENGTH:
        draft.errors["name"] = N_("Ce nom est trop long : 60 caractères au plus.")
    elif _name_taken(draft):
        draft.errors["name"] = NAME_TAKEN
    draft.pace = draft.pace.strip()
    if draft.pace and not (draft.pace.isascii() and draft.pace.isdigit() and 1 <= int(draft.pace) <= FASTEST_PACE):
        draft.errors["pace"] = N_("Écrivez un nombre de 1 à 60 000, ou rien pour ne pas limiter.")
    draft.stop_number = draft.stop_number.replace(" ", "")
    if draft.stop_number and not (draft.stop_number.isascii() and draft.stop_number.isdigit()):
        draft.errors["stop_number"] = N_("Ce numéro n’a que des chiffres, cinq d’habitude.")
    return not draft.errors


def _validate_field(draft: Draft, name: str, described: Any, kept: str) -> None:
    value = str(draft.values.get(name) or "").strip()
    kind = described["kind"]
    if not value and kind == "secret":
        value = kept  # an empty key keeps the old one
    if not value and kind == "choice":
        value = kept or next(iter(described["choices"]))
    draft.values[name] = value
    if not value:
        draft.errors[name] = N_("Remplissez ce champ.")
    elif kind == "number":
        try:
            draft.values[name] = phone_numbers.parse(value)
        except phone_numbers.NotANumber:
            draft.errors[name] = N_(
                "Ce n’est pas un numéro de téléphone. Écrivez-le comme 07 55 55 11 11 ou +33755551111."
            )
    elif kind == "choice" and value not in described["choices"]:
        by_label = {label: key for key, label in described["choices"].items()}
        if value.replace("_", " ") in by_label:
            draft.values[name] = by_label[value.replace("_", " ")]
        else:
            draft.errors[name] = N_("Choisissez une des valeurs proposées.")
    elif not value.isprintable() or (kind != "choice" and not value.isascii()):
        draft.errors[name] = N_("Cette valeur contient un caractère impossible : copiez-la de nouveau.")


def _name_taken(draft: Draft) -> bool:
    query = select(Phone.id).where(func.lower(Phone.name) == draft.name.lower())
    if draft.phone:
        query = query.where(Phone.id != draft.phone.id)
    return db.session.scalar(query) is not None


def check(draft: Draft) -> Check:
    """Ask the provider about a valid draft. Raises what Adapter.check raises."""
    return settings.build(draft.adapter, draft.values).check()


def save(draft: Draft, result: Check | AdapterError | None, user_id: int | None = None) -> Phone:
    """Save a valid draft with the result of its check; None when it was not asked for.

    A refused check is saved too, when the caller decided so: as not verified, and checked again later.
    Raises IntegrityError when the name was taken in the meantime.
    """
    adapter = settings.build(draft.adapter, draft.values)
    with transaction() as session:
        phone = session.get_one(Phone, draft.phone.id) if draft.phone else Phone()
        phone.name = draft.name
        phone.pace = int(draft.pace) if draft.pace else None
        phone.paced_until = None
        phone.stop_number = draft.stop_number[:8] or None
        phone.adapter = draft.adapter
        phone.number = adapter.number
        phone.account_id = settings.account_of(session, adapter).id
        phone.sealed_settings = vault().seal(draft.values)
        _apply(phone, result)
        if not draft.phone:
            tokens.give(phone)
            session.add(phone)
        session.flush()
        audit.record(session, user_id, Action.PHONE_CHANGED if draft.phone else Action.PHONE_ADDED, phone.name)
    return phone


def switch(phone_id: int, user_id: int | None, *, on: bool) -> Phone | None:
    """Let a phone send again, once it was checked; or let its messages wait. None when it is gone."""
    with transaction() as session:
        phone = session.get(Phone, phone_id)
        if phone is not None:
            phone.status = PhoneStatus.UNVERIFIED if on else PhoneStatus.DISABLED
            phone.reason = phone.words = None
            audit.record(session, user_id, Action.PHONE_SWITCHED_ON if on else Action.PHONE_SWITCHED_OFF, phone.name)
    return phone


def _apply(phone: Phone, result: Check | AdapterError | None) -> None:
    if phone.status is PhoneStatus.DISABLED:
        return  # a person's word stands; enabling it asks the provider
    phone.checks = 0
    phone.paused_balance = None
    phone.words = None
    if isinstance(result, Check):
        phone.status = PhoneStatus.AVAILABLE
        phone.reason = result.warning
        phone.balance = result.balance
        phone.checked_at = now()
        phone.check_at = now() + NEXT_CHECK
        return
    refused = isinstance(result, AccountError)
    phone.status = PhoneStatus.UNAVAILABLE if refused else PhoneStatus.UNVERIFIED
    phone.reason = result.reason if result else None
    phone.words = result.words if result else None
    phone.check_at = now() + (FIRST_CHECK if result else timedelta(0))
