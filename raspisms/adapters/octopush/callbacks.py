"""What Octopush posts: delivery reports, replies and opt-outs, in every shape it was seen in (§7, §8)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from ...i18n import N_
from ...sms import phone_numbers
from ..base import Callback, Ignored, Item, OptOutNotice, Outcome, Reply, Report, Unreadable, UnreadableCallback

BAD_NUMBER = N_("Ce numéro n’est pas attribué ou ne reçoit pas de SMS : vérifiez-le auprès de la personne.")
TOO_LATE = N_("Le téléphone est resté éteint ou hors réseau trop longtemps. Réessayez plus tard.")
TAKEN = N_("L’opérateur a pris le SMS en charge.")
NOT_DELIVERED = N_("L’opérateur n’a pas pu remettre le SMS. Vérifiez le numéro, ou réessayez plus tard.")

UNDER_WAY, DELIVERED, FAILED, UNDECIDED = (
    Outcome.UNDER_WAY,
    Outcome.DELIVERED,
    Outcome.FAILED,
    Outcome.UNDECIDED,
)

STATUSES: dict[str, tuple[Outcome, str | None]] = {
    "ACK": (UNDER_WAY, TAKEN),
    "PROCESSED": (UNDER_WAY, TAKEN),
    "TRANSMITTED": (UNDER_WAY, TAKEN),
    "ISP_SEND": (UNDER_WAY, TAKEN),
    "DELIVERED": (DELIVERED, None),
    "READ": (DELIVERED, None),
    "OPENED": (DELIVERED, None),
    "CLICKED": (DELIVERED, None),
    "NOT_DELIVERED": (FAILED, NOT_DELIVERED),
    "NOT_DELIVERABLE": (FAILED, NOT_DELIVERED),
    "REFUSED": (FAILED, NOT_DELIVERED),
    "BUSY": (FAILED, NOT_DELIVERED),
    "NOT_ALLOWED": (
        FAILED,
        N_("L’opérateur ou la route d’Octopush refuse ce SMS. Demandez pourquoi à Octopush."),
    ),
    "BLACKLISTED_NUMBER": (
        FAILED,
        N_("Cette personne a demandé à ne plus recevoir de SMS (STOP). N’essayez plus par SMS."),
    ),
    "BAD_DESTINATION": (FAILED, BAD_NUMBER),
    "INVALID_DESTINATION_ADDRESS": (FAILED, BAD_NUMBER),
    "EXPIRED": (FAILED, TOO_LATE),
    "OUT_OF_DATE": (FAILED, TOO_LATE),
    "ANTI_FLOODING": (FAILED, N_("Octopush a pris ce SMS pour un doublon et ne l’a pas remis.")),
    "SPAM_PRESUMPTION": (FAILED, N_("L’opérateur a pris ce SMS pour du courrier indésirable.")),
    "UNKNOWN_DELIVERY": (UNDECIDED, N_("L’opérateur ne sait pas dire si le SMS est arrivé.")),
    "UNDEFINED": (UNDECIDED, N_("L’opérateur ne sait pas dire si le SMS est arrivé.")),
}
UNHEARD_OF = (UNDECIDED, N_("Octopush a donné un statut que RaspiSMS ne connaît pas."))
OPTED_OUT = "BLACKLISTED_NUMBER"
BAD_NUMBERS = frozenset({"BAD_DESTINATION", "INVALID_DESTINATION_ADDRESS"})

# The date's key tells the kind, whichever URL was called (§7.1); older names beside newer ones.
STOP_DATES = ("stop_date",)
REPLY_DATES = ("reception_date", "answer_date")
REPORT_DATES = ("delivery_date",)
STATUS_KEYS = ("status", "delivery_status")
TICKET_KEYS = ("message_id", "sms_ticket", "ticket")
METADATA_KEYS = ("meta_data", "metadata")
KNOWN = frozenset({"number", "text", *STATUS_KEYS, *TICKET_KEYS, *STOP_DATES, *REPLY_DATES, *REPORT_DATES})
# What others put around it, and PHP's way to say the same in a form.
ENVELOPES = ("data", "payload", "body", "event", "events", "messages", "items", "results", "sms")
BRACKETS = re.compile(r"(?P<place>.*)\[(?P<name>[^\[\]]+)\]")


def read(callback: Callback) -> list[Item]:
    """Every item of a callback, in order. Raises UnreadableCallback."""
    objects = _objects(callback)
    if not objects:
        raise UnreadableCallback("no object in the body")
    return [_item_or_why(one, callback.timezone) for one in objects]


# -- from bytes to objects ----------------------------------------------------------------------------


def _objects(callback: Callback) -> list[dict[str, Any]]:
    body = callback.body.strip()
    if not body:  # as a last resort, what the URL itself carries
        return _form(callback.query.encode())
    text = _text(body)
    if text[:1] in {"{", "[", '"'}:  # the body tells what it is; the content type often lies
        return _json(text)
    if body.startswith(b"--") and callback.content_type.lower().startswith("multipart/"):
        return _multipart(body, callback.content_type)
    return _form(body)


def _text(raw: bytes) -> str:
    """UTF-8, else the Windows encoding that old form posts use; never an error."""
    try:
        return raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace").strip()


def _json(text: str) -> list[dict[str, Any]]:
    try:
        values = _values(text)
        if len(values) == 1 and isinstance(values[0], str):  # encoded twice
            values = _values(values[0])
        found = [one for value in values for one in _unwrapped(value)]
    except (ValueError, RecursionError) as error:
        raise UnreadableCallback("broken JSON") from error
    objects = [one for one in found if isinstance(one, dict)]
    if found and not objects:
        raise UnreadableCallback("JSON, but no object")
    return objects  # what is none among them says nothing of the others


def _values(text: str) -> list[Any]:
    """One JSON value, or one after the other (a line each). Raises ValueError."""
    decoder = json.JSONDecoder(strict=False, object_hook=_whole)
    values, place = [], 0
    while place < len(text):
        value, place = decoder.raw_decode(text, place)
        values.append(value)
        while place < len(text) and text[place] in " \t\r\n\x1e,":
            place += 1
    return values


def _unwrapped(value: Any) -> list[Any]:
    """The objects of a list, and what somebody in between has put into an envelope."""
    if isinstance(value, list):
        return [one for inner in value for one in _unwrapped(inner)]
    if isinstance(value, dict) and not KNOWN & value.keys():
        inner = next((value[key] for key in ENVELOPES if isinstance(value.get(key), dict | list | str)), None)
        if isinstance(inner, str) and inner.lstrip()[:1] in {"{", "["}:
            with suppress(ValueError):  # then it says nothing, and keeps nobody else from it
                inner = json.loads(inner, strict=False, object_hook=_whole)
        if isinstance(inner, dict | list):
            return _unwrapped(inner)
    return [value]


def _whole(one: dict[str, Any]) -> dict[str, Any]:
    """The object with an emoji that was cut in two replaced: half of one can be neither stored nor shown."""
    return {
        key: value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value
        for key, value in one.items()
    }


def _form(body: bytes) -> list[dict[str, Any]]:
    """A form; one that holds no known key is not ours (or not a form at all)."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:  # raw accents, or accents percent-encoded in the Windows encoding
        raw = parse_qsl(_text(body), keep_blank_values=True, encoding="latin-1")
        pairs = [(_text(key.encode("latin-1", "replace")), _repair(value)) for key, value in raw]
    if len(pairs) == 1 and (only := pairs[0][1].strip())[:1] in {"{", "["}:  # the whole of it as one field
        return _json(only)
    forms = _nested(pairs)
    if not any(KNOWN & form.keys() for form in forms):
        raise UnreadableCallback("neither JSON nor a form that we know")
    return forms


def _nested(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """The objects of a form, where PHP's brackets make several: `data[0][number]`."""
    forms: dict[str, dict[str, Any]] = {}
    for key, value in pairs:
        found = BRACKETS.fullmatch(key)
        place, name = (found["place"], found["name"]) if found else ("", key)
        forms.setdefault(place, {})[name] = value
    return list(forms.values())


def _repair(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value.encode("latin-1").decode("cp1252", "replace")
    except UnicodeEncodeError:  # already right
        return value


def _multipart(body: bytes, content_type: str) -> list[dict[str, Any]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = message_from_bytes(head + body, policy=policy.HTTP)
    form: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if name and isinstance(payload, bytes):
            form[str(name)] = _text(payload)
    if not form:
        raise UnreadableCallback("multipart without fields")
    return [form]


# -- from objects to items ----------------------------------------------------------------------------


def _item_or_why(one: dict[str, Any], zone: ZoneInfo) -> Item:
    """One object must not keep the others of its callback from being applied."""
    try:
        return _item(one, zone)
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        return Unreadable(type(error).__name__)


def _item(one: dict[str, Any], zone: ZoneInfo) -> Item:
    data = _with_metadata(one)
    kind = _kind(data)
    number = phone_numbers.from_provider(_first(data, ("number",)) or "")
    if not number:
        is_ours = _first(data, ("text", *TICKET_KEYS, *STOP_DATES, *REPLY_DATES, *REPORT_DATES)) is not None
        return Unreadable("a callback without a number") if is_ours else Ignored()
    if kind == "stop":
        text = _first(data, ("text",))
        return OptOutNotice(number, "STOP" if text is None else str(text), _date(data, STOP_DATES, zone))
    if kind == "reply":
        return Reply(
            number=number,
            text=str(data.get("text") if data.get("text") is not None else ""),
            # As we sent from it: a phone keeps the number that it was given.
            received_by=phone_numbers.from_provider(_first(data, ("sim_card_number",)) or "", as_sent=True),
            provider_id=str(_first(data, TICKET_KEYS) or ""),
            at=_date(data, REPLY_DATES, zone),
        )
    if kind == "report":
        return _report(data, phone_numbers.from_provider(_first(data, ("number",)), as_sent=True), zone)
    return Ignored()


def _report(data: dict[str, Any], number: str, zone: ZoneInfo) -> Item:
    ticket = str(_first(data, TICKET_KEYS) or "").strip()
    words = str(_first(data, STATUS_KEYS) or "").strip().upper()
    if not ticket or not words:
        return Unreadable("a report without a ticket or a status")
    outcome, reason = STATUSES.get(words, UNHEARD_OF)
    at = _date(data, REPORT_DATES, zone)
    return Report(
        ticket[:128],
        number,
        outcome,
        words[:64],
        reason,
        at,
        opted_out=words == OPTED_OUT,
        bad_number=words in BAD_NUMBERS,
    )


def _with_metadata(one: dict[str, Any]) -> dict[str, Any]:
    """The object, completed by what a metadata node holds (`use_metadata_node_for_inbound`, §8)."""
    inner: dict[str, Any] = {}
    for key in METADATA_KEYS:
        if isinstance(one.get(key), dict):
            inner |= one[key]
    return inner | {key: value for key, value in one.items() if value is not None or key not in inner}


def _kind(data: dict[str, Any]) -> str:
    """Which of the three it is: by its date, else by a status, else by a text."""
    for kind, keys in (("stop", STOP_DATES), ("reply", REPLY_DATES), ("report", REPORT_DATES)):
        if _first(data, keys):
            return kind
    if _first(data, STATUS_KEYS):
        return "report"
    return "reply" if "text" in data else "ignored"


def _first(data: dict[str, Any], keys: Iterable[str]) -> Any:
    return next((data[key] for key in keys if data.get(key) not in (None, "")), None)


def _date(data: dict[str, Any], keys: Iterable[str], zone: ZoneInfo) -> datetime | None:
    """A date with its zone; without one it is read in `zone`. None for what is no date."""
    try:
        moment = datetime.fromisoformat(str(_first(data, keys) or "").strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        return None
