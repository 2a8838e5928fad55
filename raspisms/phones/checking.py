"""The health of a phone: pausing it when its provider refuses us, resuming when a check passes."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select, update

from ..adapters.base import AccountError, AdapterError, Check, PauseKind
from ..clock import now
from ..extensions import db
from ..live import changes
from ..models import Phone, PhoneStatus
from ..storage.transactions import transaction
from . import settings

log = logging.getLogger(__name__)

FIRST_CHECK = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
# As many checks as it takes for the waits to reach the longest one.
PATIENT_CHECKS = 5
# A phone in good health is looked at now and then, for its balance.
NEXT_CHECK = timedelta(hours=1)


def pause(phone: Phone, error: AccountError) -> None:
    """Stop sending from this phone until a check passes. Call inside a transaction.

    The waits grow until a message is accepted again: a provider may pass the check and refuse the messages.
    """
    if phone.status is PhoneStatus.DISABLED:
        return  # a person's word stands
    credit = error.kind is PauseKind.CREDIT
    phone.status = PhoneStatus.NO_CREDIT if credit else PhoneStatus.UNAVAILABLE
    phone.reason = error.reason
    phone.words = error.words or None
    phone.paused_balance = phone.balance if credit else None
    _later(phone)
    changes.remember(db.session(), "phones", phone.id)
    log.warning("phone=%s paused: %s code=%s", phone.id, error.kind.value, error.code)


def check(phone_id: int, *, asked_by_person: bool = False) -> Phone | None:
    """Ask the provider about a saved phone and keep the answer; None when the phone is gone.

    A phone without credit resumes when the balance has grown, when some was left for long, or at a person's word.
    The caller rings the bell: messages may be waiting.
    """
    phone = db.session.get(Phone, phone_id)
    if phone is None:
        return None
    result: Check | AdapterError
    key, sealed = phone.adapter, phone.sealed_settings
    db.session.rollback()  # no transaction stays open while the provider thinks
    try:
        result = settings.open_adapter(key, sealed).check()
    except AdapterError as error:
        result = error
    with transaction() as session:
        phone = session.get(Phone, phone_id)
        if phone is None:
            return None
        if isinstance(result, Check):
            _passed(phone, result, asked_by_person)
        else:
            _did_not_pass(phone, result)
        return phone


def _passed(phone: Phone, result: Check, asked_by_person: bool) -> None:
    phone.balance = result.balance
    phone.checked_at = now()
    if phone.status is PhoneStatus.DISABLED:
        return
    if phone.status is PhoneStatus.NO_CREDIT and not asked_by_person and not _may_be_filled(phone):
        phone.paused_balance = min(phone.paused_balance or phone.balance or Decimal(0), phone.balance or Decimal(0))
        _later(phone)
        return
    phone.status = PhoneStatus.AVAILABLE
    phone.reason = result.warning
    phone.words = None
    phone.paused_balance = None
    phone.check_at = now() + NEXT_CHECK
    changes.remember(db.session(), "phones", phone.id)
    log.info("phone=%s check passed", phone.id)


def _may_be_filled(phone: Phone) -> bool:
    """Whether one more message is worth trying: the balance has grown, or has been there for long.

    What we believed when it paused may have been stale, so patience ends too: a refused try costs nothing.
    """
    if phone.balance is None:
        return True
    if phone.balance > (phone.paused_balance or 0):
        return True
    return phone.balance > 0 and phone.checks >= PATIENT_CHECKS


def _did_not_pass(phone: Phone, error: AdapterError) -> None:
    if isinstance(error, AccountError):
        pause(phone, error)
        return
    if phone.status is PhoneStatus.UNVERIFIED:
        phone.reason = error.reason
        phone.words = error.words or None
    _later(phone)


def _later(phone: Phone) -> None:
    phone.check_at = now() + min(FIRST_CHECK * (1 << min(phone.checks, 10)), LONGEST_WAIT)
    phone.checks += 1


def due_phones() -> list[int]:
    """Phones that want to be looked at now; each is put off, so that it is announced once."""
    moment = now()
    found = list(
        db.session.scalars(select(Phone.id).where(Phone.check_at <= moment, Phone.status != PhoneStatus.DISABLED))
    )
    if found:
        with transaction() as session:
            session.execute(update(Phone).where(Phone.id.in_(found)).values(check_at=moment + FIRST_CHECK))
    return found
