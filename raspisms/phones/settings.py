"""From a stored phone to an adapter that can speak, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from ..adapters import REGISTRY, Adapter
from ..adapters.base import AccountError, PauseKind, Settings
from ..i18n import N_
from ..models import Account, Phone
from ..vault import Unreadable, vault

UNREADABLE = N_(
    "Les réglages de ce téléphone ne se lisent plus : le secret de l’installation a changé. "
    "Modifiez le téléphone et saisissez de nouveau sa clé."
)


class UnknownAdapter(LookupError):
    """No adapter has this key: str(error) is the key."""


def adapter_class(key: str) -> type[Adapter]:
    """The adapter registered under `key`. Raises UnknownAdapter."""
    try:
        return REGISTRY[key]
    except KeyError as error:
        raise UnknownAdapter(key) from error


def build(key: str, values: dict[str, Any]) -> Adapter:
    """An adapter for settings that may not be saved yet. Raises UnknownAdapter."""
    kind = adapter_class(key)
    return kind(kind.Settings.read(values), current_app.config[kind.endpoint])


def open_adapter(key: str, sealed_settings: str) -> Adapter:
    """The adapter that speaks for a saved phone. Raises AccountError when its settings cannot be read."""
    try:
        return build(key, vault().open(sealed_settings))
    except (Unreadable, UnknownAdapter) as error:
        raise AccountError(PauseKind.CREDENTIALS, UNREADABLE) from error


def values_of(phone: Phone) -> dict[str, Any]:
    """A phone's settings in clear, secrets included: for adapters only, never for a page."""
    try:
        values: dict[str, Any] = vault().open(phone.sealed_settings)
    except Unreadable:
        return {}  # the form is empty then, and asks for everything again
    return values


def shown_values_of(phone: Phone) -> dict[str, str]:
    """A phone's settings without its secrets: what a form may show."""
    secret = secret_names(adapter_class(phone.adapter).Settings)
    return {name: value for name, value in values_of(phone).items() if name not in secret}


def secret_names(settings: type[Settings]) -> set[str]:
    """Names of the fields that are written and never read back."""
    return {field.name for field in dataclasses.fields(settings) if field.metadata["kind"] == "secret"}


def account_of(session: Session, adapter: Adapter) -> Account:
    """The account that the adapter's settings belong to, made when it is new. Call inside a transaction."""
    digest = vault().digest(f"{adapter.endpoint}\0{adapter.account}", purpose="account")
    account = session.query(Account).filter_by(digest=digest).one_or_none()
    if account is None:
        account = Account(digest=digest)
        session.add(account)
        session.flush()
    return account
