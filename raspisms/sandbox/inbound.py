"""Messages from handsets to a virtual number (§8)."""

from __future__ import annotations

from typing import Any

from . import reports
from .state import Account, Sms, State

STOP = "STOP"


def write(
    state: State,
    login: str,
    number: str,
    text: str,
    to: str,
    manner: str = "",
    with_ticket: bool = True,
    date_key: str = "reception_date",
    notice: bool = False,
) -> Sms:
    """A handset (`number`) writes `text` to our number `to`.

    `manner` is one of reports.encode; `notice` also sends the opt-out callback that a STOP may cause.
    """
    account = state.account(login)
    sms = state.add(login=login, ticket="", number=number, sender=to, text=text, incoming=True)
    fields: dict[str, Any] = {
        "message_id": _last_ticket(state, number, to) if with_ticket else "",
        "number": number.lstrip("+") if manner == "number_without_plus" else number,
        "text": text,
        "sim_card_number": to.lstrip("+") if manner == "number_without_plus" else to,
        date_key: reports.date(sms.at),
    }
    body, content_type = reports.encode(fields, manner)
    state.callbacks.post(account.callbacks.get("inbounds", ""), body, content_type)
    if text.strip().upper() == STOP:
        account.blacklist.add(number)
    if notice:
        _notify(state, account, sms)
    return sms


def _notify(state: State, account: Account, sms: Sms) -> None:
    fields = {"message_id": "", "number": sms.number, "text": sms.text, "stop_date": reports.date(sms.at)}
    body, content_type = reports.encode(fields, "")
    url = account.callbacks.get("blacklisted") or account.callbacks.get("inbounds", "")
    state.callbacks.post(url, body, content_type)


def _last_ticket(state: State, number: str, to: str) -> str:
    """The ticket of the last SMS from `to` to this handset, when there is one."""
    with state.lock:
        sent = [s for s in state.messages if not s.incoming and s.number == number and s.sender == to]
    return sent[-1].ticket if sent else ""
