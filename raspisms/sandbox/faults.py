"""Everything that can go wrong while sending, on demand (§15)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request

from . import magic
from .state import State

HTML = "<html><body><h1>{0}</h1></body></html>"

Answer = tuple[Response, int]


def choose(sandbox: State, body: dict[str, Any]) -> str | None:
    """The fault of this request: the next one asked for, else the one of a magic recipient."""
    with sandbox.lock:
        if sandbox.faults:
            return sandbox.faults.popleft()
    for recipient in body.get("recipients") or []:
        fault = magic.FAULTS.get(recipient.get("phone_number", "")) if isinstance(recipient, dict) else None
        if fault and (not fault.endswith("_once") or sandbox.first_time(fault, str(body.get("request_id", "")))):
            return fault
    return None


def before(sandbox: State, fault: str) -> Answer | None:
    """Faults that come before anything is accepted."""
    name = fault.removesuffix("_once")
    if name.startswith("code_"):
        return _json(int(name[5:]), 400)
    if name in {"401", "403"}:
        return _json(int(name), int(name))
    if name == "cut_before":
        return _cut()
    if name == "hang":
        time.sleep(sandbox.switches.hang)
        return _html(504)
    return _ODD_ANSWERS[name]() if name in _ODD_ANSWERS else None


def after(sandbox: State, fault: str) -> Answer | None:
    """Faults that hide from the caller that its request was accepted."""
    name = fault.removesuffix("_once")
    if name == "cut_after":
        return _cut()
    if name == "hang_after":
        time.sleep(sandbox.switches.hang)
        return _html(504)
    return {
        "garbage_after": lambda: (Response("\x00\xff<not json", content_type="application/json"), 200),
        "empty_after": lambda: (Response(""), 200),
        "500_after": lambda: _html(500),
    }.get(name, lambda: None)()


def _json(code: int, http_status: int) -> Answer:
    return jsonify(code=code, message=f"Refused by the sandbox with code {code}"), http_status


def _html(http_status: int, **headers: str) -> Answer:
    return Response(HTML.format(http_status), content_type="text/html", headers=headers), http_status


_ODD_ANSWERS: dict[str, Callable[[], Answer]] = {
    "500_html": lambda: _html(500),
    "502_html": lambda: _html(502),
    "400_html": lambda: _html(400),
    "429": lambda: _html(429, **{"Retry-After": "2"}),
    "438": lambda: _json(438, 400),
    "garbage": lambda: (Response("<<<", content_type="text/html"), 200),
    "no_ticket": lambda: (jsonify(number_of_contacts=1), 200),
    "200_code_101": lambda: _json(101, 200),
    "redirect": lambda: _html(302, Location="http://127.0.0.1:9/portal"),
    "422_detail": lambda: (jsonify(detail="Unprocessable", code="999"), 422),
}


def _cut() -> Answer:
    """Cut the connection without an answer."""
    connection = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return Response(""), 200
