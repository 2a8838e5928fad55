"""What the pretended provider remembers."""

from __future__ import annotations

import random
import string
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import current_app

from .callbacks import CallbackPoster

KEY = "sandbox-key"
"""The API key of every account; any other is wrong."""
OWN_NUMBERS = ("+33755551111", "+33639989999")
REMEMBERED_SECONDS = 24 * 3600


@dataclass
class Switches:
    """How the sandbox behaves; changed through /sandbox/switches."""

    report_delay: float = 1.5
    """Seconds from acceptance to ACK, and from ACK to the final report."""
    latency: float = 0.0
    """Seconds that an answer takes, the work for it included."""
    send_status: int = 200
    """HTTP status of an accepted request; the documentation says 201, observers saw 200."""
    reports: bool = True
    number_list: bool = True
    """Whether /virtual-number/list exists."""
    unknown_sender: str = "accept"
    """What a number that is not the account's does as a sender: `accept` or `106`."""
    price: str = "0.0450"
    """Euros for one part."""
    hang: float = 60.0
    """Seconds that a hanging answer takes."""
    retries: int = 0
    """How often a callback that was not answered with 2xx is repeated."""
    clock: float = 0.0
    """Seconds added to the clock, to let a request_id grow old."""


@dataclass
class Account:
    """One customer of the pretended provider."""

    login: str
    credit: Decimal = Decimal("10.00")
    numbers: list[str] = field(default_factory=lambda: list(OWN_NUMBERS))
    callbacks: dict[str, str] = field(default_factory=dict)
    request_ids: dict[str, float] = field(default_factory=dict)
    blacklist: set[str] = field(default_factory=set)


@dataclass
class Sms:
    """One SMS that was accepted, or that a handset wrote."""

    id: int
    login: str
    ticket: str
    number: str
    """The handset."""
    sender: str
    """Our virtual number."""
    text: str
    incoming: bool
    at: float
    request_id: str = ""
    status: str = ""


class State:
    """Everything, behind one lock."""

    def __init__(self, switches: Switches | None = None) -> None:
        self.lock = threading.RLock()
        self.switches = switches or Switches()
        self.accounts: dict[str, Account] = {}
        self.messages: list[Sms] = []
        self.requests: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self.faults: deque[str] = deque()
        self.met: set[tuple[str, str]] = set()
        """Faults that happen once for a request_id, and did."""
        self.callbacks = CallbackPoster(self.lock, lambda: self.switches)

    def account(self, login: str) -> Account:
        """The account of a login, opened at first sight."""
        with self.lock:
            return self.accounts.setdefault(login.lower(), Account(login.lower()))

    def now(self) -> float:
        return time.time() + self.switches.clock

    def add(self, **fields: Any) -> Sms:
        """Remember one SMS."""
        with self.lock:
            sms = Sms(id=len(self.messages) + 1, at=self.now(), **fields)
            self.messages.append(sms)
            return sms

    def first_time(self, fault: str, request_id: str) -> bool:
        """Whether this fault did not yet happen to this request_id."""
        with self.lock:
            seen = (fault, request_id) in self.met
            self.met.add((fault, request_id))
            return not seen


def new_ticket() -> str:
    return "sms_" + "".join(random.choices(string.hexdigits.lower()[:16], k=22))


def state() -> State:
    """The current sandbox's state."""
    found: State = current_app.extensions["sandbox"]
    return found
