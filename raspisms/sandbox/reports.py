"""Which reports an accepted SMS gets, in which order, shape and encoding."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from . import magic
from .state import Account, Sms, State

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PARIS = ZoneInfo("Europe/Paris")


def date(moment: float) -> str:
    """A date as the provider writes it: Paris time, no zone."""
    return datetime.fromtimestamp(moment, PARIS).strftime("%Y-%m-%d %H:%M:%S")


def schedule(state: State, account: Account, sms: Sms, sms_type: str, later: float = 0.0) -> None:
    """Send the reports of one accepted SMS, which leaves in so many seconds; low cost ones get none (§7.6)."""
    if not state.switches.reports or sms_type == "sms_low_cost":
        return
    manner = magic.MANNERS.get(sms.number, "")
    if manner in {"none", "before_answer"}:
        return
    final = "BLACKLISTED_NUMBER" if sms.number in account.blacklist else magic.STATUSES.get(sms.number, "DELIVERED")
    words = {
        "swapped": [final, "ACK"],
        "doubled": ["ACK", "ACK", final, final],
        "failed_then_delivered": ["ACK", "NOT_DELIVERED", "DELIVERED"],
        "delivered_then_failed": ["ACK", "DELIVERED", "NOT_DELIVERED"],
        "lower_case": ["ack", f" {final.lower()} "],
    }.get(manner, ["ACK", final])
    delay = state.switches.report_delay
    for position, word in enumerate(words, start=1):
        send(state, account, sms, word, manner, delay=later + delay * position)
    sms.status = final


def send(state: State, account: Account, sms: Sms, word: str, manner: str = "", *, delay: float = 0.0) -> None:
    """Post one report to the account's URL, in the given manner."""
    body, content_type = encode(_fields(state, sms, word, manner), manner)
    state.callbacks.post(account.callbacks.get("deliveries", ""), body, content_type, delay=delay)


def _fields(state: State, sms: Sms, word: str, manner: str) -> dict[str, Any]:
    number = sms.number
    if manner == "number_without_plus":
        number = number.lstrip("+")
    if manner == "number_with_00":
        number = "00" + number.lstrip("+")
    if manner == "aliases":
        return {"ticket": sms.ticket, "number": number, "delivery_status": word}
    old = {"message_id": sms.ticket, "number": number, "status": word, "delivery_date": date(state.now())}
    if manner == "old_keys":
        return old
    return {
        "channel": "sms",
        "list_name": "",
        "unit_price": float(state.switches.price),
        "meta_data": {},
    } | old


def encode(fields: dict[str, Any], manner: str) -> tuple[bytes, str | None]:
    """A body and its content type."""
    if manner in {"form", "bad_form"}:
        flat = {key: value for key, value in fields.items() if not isinstance(value, dict)}
        body = urlencode(flat)
        if manner == "bad_form":
            body = body.replace("%2B", "+")  # a raw + reads as a blank
        return body.encode(), FORM
    text = json.dumps([fields] if manner == "array" else fields).encode()
    return text, {"no_content_type": None, "text_plain": "text/plain"}.get(manner, JSON)
