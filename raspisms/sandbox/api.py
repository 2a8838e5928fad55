"""The provider's API: authentication, validation, tickets, credit, refusals (§2 to §6)."""

from __future__ import annotations

import math
import re
import time
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request

from . import faults, magic, reports
from .state import KEY, REMEMBERED_SECONDS, Account, State, new_ticket, state

bp = Blueprint("api", __name__, url_prefix="/v1/public")

KNOWN_KEYS = {
    "text", "recipients", "type", "sender", "purpose", "with_replies", "send_at", "simulation_mode",
    "request_id", "auto_optimize_text", "auto_remove_blacklisted_numbers", "list_name", "recipient_tracking",
}  # fmt: skip
TRUE = (True, 1, "1", "true", "True")
TYPES = ("sms_premium", "sms_low_cost")
PERSONAL = ("param1", "param2", "param3", "param4", "param5")
STOP_MENTION = re.compile(r"STOP au (\d{5}|XXXXX)")
NAMED_SENDER = re.compile(r"[A-Za-z0-9 ]{3,11}")
NUMBER = re.compile(r"\+?\d{5,15}")
GSM7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENDED = set("^{}\\[~]|€\f")

Answer = Response | tuple[Response, int]


def refuse(code: int, message: str, http_status: int = 400) -> tuple[Response, int]:
    """A refusal in the provider's shape (§4.1)."""
    return jsonify(code=code, message=message), http_status


def _account() -> Account | None:
    """The account of the request: two headers, or HTTP Basic (§1)."""
    login, key = request.headers.get("api-login"), request.headers.get("api-key")
    if request.authorization and request.authorization.type == "basic":
        login, key = request.authorization.username, request.authorization.password
    return state().account(login) if login and key == KEY else None


@bp.post("/sms-campaign/send")
def send() -> Answer:
    """Accept an SMS campaign, or refuse it in the order of §15; half of the latency passes before it is done."""
    sandbox = state()
    latency = sandbox.switches.latency
    answer_at = time.monotonic() + latency
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        return refuse(100, "The body is not JSON")
    _remember(sandbox, body)
    time.sleep(latency / 2)
    answer = _send(sandbox, body)
    time.sleep(max(0.0, answer_at - time.monotonic()))
    return answer


def _send(sandbox: State, body: dict[str, Any]) -> Answer:
    account = _account()
    if account is None:
        return refuse(101, "Wrong login or API key", 401)
    fault = faults.choose(sandbox, body)
    if fault and (answer := faults.before(sandbox, fault)):
        return answer
    with sandbox.lock:
        answer = _accept(sandbox, account, body)
    if fault and answer[1] < 300:
        return faults.after(sandbox, fault) or answer
    return answer


def _remember(sandbox: State, body: dict[str, Any]) -> None:
    with sandbox.lock:
        sandbox.requests.append({"at": sandbox.now(), "body": body})
        sandbox.warnings.extend(f"unknown key {key!r}" for key in body.keys() - KNOWN_KEYS)


def _accept(sandbox: State, account: Account, body: dict[str, Any]) -> tuple[Response, int]:
    body = _normal(body)
    simulated = body.get("simulation_mode") in TRUE
    refusal = _refusal(sandbox, account, body)
    if refusal:
        return refusal
    numbers = [recipient["phone_number"] for recipient in body["recipients"]]
    texts = [personal(body["text"], recipient) for recipient in body["recipients"]]
    needed = max(map(parts, texts))
    cost = Decimal(sandbox.switches.price) * sum(map(parts, texts))
    if cost > account.credit and not simulated:
        return refuse(104, "Not enough credit")
    ticket = new_ticket()
    if not simulated:
        account.credit -= cost
        _deliver(sandbox, account, body, ticket, dict(zip(numbers, texts, strict=True)))
        if body.get("request_id"):
            account.request_ids[str(body["request_id"])] = sandbox.now()
    answer = jsonify(
        sms_ticket=ticket,
        number_of_contacts=len(numbers),
        total_cost=float(cost),
        number_of_sms_needed=needed,
        residual_credit=float(account.credit),
    )
    return answer, sandbox.switches.send_status


def _normal(body: dict[str, Any]) -> dict[str, Any]:
    """The body as the official clients mean it: null is absent, a number may be a number, a plus may be missing."""
    body = {key: value for key, value in body.items() if value is not None}
    recipients = body.get("recipients")
    if isinstance(recipients, list):
        body["recipients"] = [_recipient(one) for one in recipients]
    return body


def _recipient(one: Any) -> Any:
    if not isinstance(one, dict):
        return one
    number = one.get("phone_number")
    if isinstance(number, int) and not isinstance(number, bool):
        number = f"+{number}"
    return one | {"phone_number": str(number or "").replace(" ", "")}


def personal(text: str, recipient: dict[str, Any]) -> str:
    """The text with what a recipient brings for it: `{param1}`, as the official PHP client documents (§2.7)."""
    for key in PERSONAL:
        if recipient.get(key) is not None:
            text = text.replace("{" + key + "}", str(recipient[key]))
    return text


def _later(sandbox: State, body: dict[str, Any]) -> float:
    """Seconds until a planned SMS leaves; what has no zone is Central European (§2.2)."""
    if "send_at" not in body:
        return 0.0
    moment = datetime.fromisoformat(str(body["send_at"]))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo("Europe/Paris"))
    return max(0.0, moment.timestamp() - sandbox.now())


def _deliver(sandbox: State, account: Account, body: dict[str, Any], ticket: str, texts: dict[str, str]) -> None:
    later = _later(sandbox, body)
    for number, text in texts.items():
        sms = sandbox.add(
            login=account.login,
            ticket=ticket,
            number=number,
            sender=str(body.get("sender", "")),
            text=text,
            incoming=False,
            request_id=str(body.get("request_id", "")),
        )
        if magic.MANNERS.get(number) == "before_answer":
            _report_before_answer(sandbox, account, sms)
        reports.schedule(sandbox, account, sms, body.get("type") or "sms_premium", later)


def _report_before_answer(sandbox: State, account: Account, sms: Any) -> None:
    content, content_type = reports.encode(
        {
            "message_id": sms.ticket,
            "number": sms.number,
            "status": "DELIVERED",
            "delivery_date": reports.date(sandbox.now()),
        },
        "",
    )
    url = account.callbacks.get("deliveries", "")
    if url:
        sandbox.callbacks.deliver({"url": url, "body": content, "content_type": content_type, "left": 0})


def _refusal(sandbox: State, account: Account, body: dict[str, Any]) -> tuple[Response, int] | None:
    request_id = str(body.get("request_id") or "")
    known_since = account.request_ids.get(request_id)
    if request_id and known_since is not None and sandbox.now() - known_since < REMEMBERED_SECONDS:
        return refuse(182, "Loop detected")
    return _text_refusal(body) or _recipients_refusal(body) or _sender_refusal(sandbox, account, body)


def _text_refusal(body: dict[str, Any]) -> tuple[Response, int] | None:
    text = body.get("text")
    if not isinstance(text, str) or not text:
        return refuse(107, "Text is missing")
    if len(text) > 1224:
        return refuse(189, "Message too long")
    if body.get("type", "sms_premium") not in TYPES:
        return refuse(208, "Wrong SMS type")
    try:
        _later(state(), body)
    except ValueError:
        return refuse(100, "Wrong send_at")
    return None


def _recipients_refusal(body: dict[str, Any]) -> tuple[Response, int] | None:
    recipients = body.get("recipients")
    if not isinstance(recipients, list) or not recipients:
        return refuse(103, "Recipients are missing")
    if len(recipients) > 500:
        return refuse(103, "Too many recipients")
    for recipient in recipients:
        if not isinstance(recipient, dict) or not NUMBER.fullmatch(str(recipient.get("phone_number", ""))):
            return refuse(103, "Bad recipient")
    if (
        body.get("purpose", "wholesale") == "wholesale"
        and any(recipient["phone_number"].startswith("+33") for recipient in recipients)
        and not STOP_MENTION.search(body["text"])
    ):
        return refuse(121, "STOP mention ([STOP au 30101]) is missing from your text.")
    return None


def _sender_refusal(sandbox: State, account: Account, body: dict[str, Any]) -> tuple[Response, int] | None:
    sender = str(body.get("sender", ""))
    if not sender and body.get("with_replies") in TRUE:
        return None
    if NUMBER.fullmatch(sender):
        if sandbox.switches.unknown_sender == "106" and sender not in account.numbers:
            return refuse(106, "Sender is not yours")
        return None
    return None if NAMED_SENDER.fullmatch(sender) else refuse(106, "Sender is missing or invalid")


def parts(text: str) -> int:
    """SMS that the operators bill (§10)."""
    if set(text) <= GSM7 | GSM7_EXTENDED:
        units = len(text) + sum(character in GSM7_EXTENDED for character in text)
        return 1 if units <= 160 else math.ceil(units / 153)
    units = len(text.encode("utf-16-be")) // 2
    return 1 if units <= 70 else math.ceil(units / 67)


@bp.get("/wallet/check-balance")
def check_balance() -> Answer:
    account = _account()
    if account is None:
        return refuse(101, "Wrong login or API key", 401)
    product = request.args.get("product_name")
    if product and request.args.get("country_code"):
        found: dict[str, Any] = {"amount": int(account.credit / Decimal(state().switches.price)), "unit": product}
    else:
        found = {"amount": float(account.credit), "unit": "euros"}
    if request.args.get("with_details") in ("1", "true", "True"):
        pack = {"wallet_pack_id": "00000000-0000-4000-8000-000000000000", "credit": float(account.credit)}
        found["wallet_packs"] = [pack | {"expiration_date": "2030-12-08T16:45:14+01:00"}]
    return jsonify(found)


@bp.get("/virtual-number/list")
def virtual_numbers() -> Answer:
    account = _account()
    if account is None:
        return refuse(101, "Wrong login or API key", 401)
    if not state().switches.number_list:
        return refuse(404, "Not found", 404)
    return jsonify(
        [
            {
                "user_email": account.login,
                "virtual_number": number,
                "country_code": "FR",
                "subscription_end_date": None,
            }
            for number in account.numbers
        ]
    )


CALLBACK_KEYS = {
    "callback_url_for_deliveries": "deliveries",
    "callback_url_for_sms_deliveries": "deliveries",
    "callback_url_for_inbounds": "inbounds",
    "callback_url_for_blacklisted_numbers": "blacklisted",
}


@bp.route("/user/campaign-parameters/edit", methods=["PATCH"])
def edit_parameters() -> Answer:
    """Where callbacks go, nested below `callbacks` or flat (§6)."""
    account = _account()
    if account is None:
        return refuse(101, "Wrong login or API key", 401)
    body = request.get_json(force=True, silent=True) or {}
    wanted = body.get("callbacks", body)
    for key, kind in CALLBACK_KEYS.items():
        if key in wanted:
            account.callbacks[kind] = str(wanted[key] or "")
    return jsonify(callbacks=account.callbacks)
