"""The phone "Bac à sable": there from the first `up --sandbox`, wired to the pretended Octopush."""

from __future__ import annotations

from decimal import Decimal

from flask import current_app
from sqlalchemy import select

from ..adapters.base import Check
from ..adapters.octopush.sandbox import OctopushSandbox
from ..extensions import db
from ..i18n import say
from ..machine import addresses
from ..models import Phone
from ..phones import saving, settings, tokens
from ..sandbox.state import KEY, OWN_NUMBERS, State
from ..storage.transactions import StorageUnavailable

LOGIN = "sandbox@example.org"


def ensure() -> None:
    """Create the sandbox phone if there is none yet."""
    if db.session.scalar(select(Phone.id).where(Phone.adapter == OctopushSandbox.key).limit(1)):
        return
    draft = saving.Draft(
        adapter=OctopushSandbox.key,
        name=say("Bac à sable"),
        values={"login": LOGIN, "api_key": KEY, "number": OWN_NUMBERS[-1], "sms_type": "sms_premium"},
    )
    if saving.validate(draft):
        saving.save(draft, Check(balance=Decimal("10")))


def register(state: State) -> None:
    """Tell the sandbox where to call: the callbacks port of this machine, under the present tokens."""
    host = addresses.callable_name(addresses.from_here(current_app.config.get("BIND", "127.0.0.1")))
    base = f"http://{host}:{current_app.config['CALLBACKS_PORT']}"
    try:
        phones = list(db.session.scalars(select(Phone).where(Phone.adapter == OctopushSandbox.key)))
    except StorageUnavailable:
        return
    finally:
        db.session.rollback()
    for phone in phones:
        urls = tokens.urls(phone, base)
        account = state.account(str(settings.values_of(phone)["login"]))
        account.callbacks = {"deliveries": urls.status, "inbounds": urls.reception}
