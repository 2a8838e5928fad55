"""The phone "Bac à sable": there from the first `up --sandbox`, wired to the pretended Octopush."""

from __future__ import annotations

from decimal import Decimal

from flask import current_app
from sqlalchemy import Select, select

from ..adapters.base import Check
from ..adapters.octopush.sandbox import OctopushSandbox
from ..extensions import db
from ..i18n import N_, say
from ..machine import addresses
from ..models import Phone, PhoneStatus
from ..phones import choosing, saving, settings, tokens
from ..sandbox.state import KEY, OWN_NUMBERS, State
from ..storage.transactions import StorageUnavailable, transaction

LOGIN = "sandbox@example.org"


# Of the phone while nobody answers for it.
SWITCHED_OFF = N_("Le bac à sable n’est pas en marche : relancez RaspiSMS avec « up --sandbox » pour s’entraîner.")


def ensure() -> None:
    """Create the sandbox phone if there is none yet, or let it send again.

    One that somebody deleted stays deleted, unless there is nothing else to try RaspiSMS with.
    """
    found = list(db.session.scalars(_mine()))
    if found:
        with transaction() as session:
            for phone in session.scalars(_mine().where(Phone.reason == SWITCHED_OFF)):
                phone.status, phone.reason = PhoneStatus.AVAILABLE, None
    if any(not one.is_deleted for one in found) or (found and choosing.offered()):
        return
    draft = saving.Draft(
        adapter=OctopushSandbox.key,
        name=say("Bac à sable"),
        values={"login": LOGIN, "api_key": KEY, "number": OWN_NUMBERS[-1], "sms_type": "sms_premium"},
    )
    if saving.validate(draft):
        saving.save(draft, Check(balance=Decimal("10")))


def switch_off() -> None:
    """Nobody answers for the sandbox phones in this run: what is written there waits, and the page says why."""
    with transaction() as session:
        for phone in session.scalars(_mine().where(Phone.status != PhoneStatus.DISABLED)):
            phone.status, phone.reason = PhoneStatus.DISABLED, SWITCHED_OFF


def _mine() -> Select[Phone]:
    return select(Phone).where(Phone.adapter == OctopushSandbox.key)


def register(state: State) -> None:
    """Tell the sandbox where to call: the callbacks port of this machine, under the present tokens."""
    host = addresses.callable_name(addresses.from_here(current_app.config.get("BIND", "127.0.0.1")))
    base = f"http://{host}:{current_app.config['CALLBACKS_PORT']}"
    try:
        phones = list(db.session.scalars(_mine().where(Phone.deleted_at.is_(None))))
    except StorageUnavailable:
        return
    finally:
        db.session.rollback()
    for phone in phones:
        urls = tokens.urls(phone, base)
        account = state.account(str(settings.values_of(phone)["login"]))
        account.callbacks = {"deliveries": urls.status, "inbounds": urls.reception}
