"""HTTP as adapters use it: one session, explicit time-outs, and errors that say whether it left."""

from __future__ import annotations

import json
import math
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3 import exceptions as urllib3_exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from ..i18n import N_
from .base import AmbiguousError, TemporaryError

CONNECT_SECONDS = 5.0
# More than any honest answer; a page of a proxy is cut there.
ANSWER_BYTES = 64 * 1024
LONGEST_WAIT = 3600.0


@dataclass(frozen=True)
class Answer:
    """A provider's answer, read tolerantly."""

    status: int
    text: str
    retry_after: float | None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object in the body; empty when it holds anything else."""
        found = self.data
        return found if isinstance(found, dict) else {}

    @property
    def data(self) -> Any:
        """The JSON value in the body, or None."""
        try:
            return json.loads(self.text, object_hook=_storable, parse_int=_short)
        except (ValueError, RecursionError):
            return None


def _short(digits: str) -> int | None:
    """A number of a size that means something: some send five thousand digits."""
    return int(digits) if len(digits) <= 30 else None


def _storable(one: dict[str, Any]) -> dict[str, Any]:
    """The object without halves of characters, which can be neither stored nor shown."""
    return {
        key: value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
        for key, value in one.items()
    }


class Deadline:
    """Ends a request that takes too long as a whole: a byte now and then would defeat any limit on single reads."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._timers: list[threading.Timer] = []

    def watch(self, connection: socket.socket | None) -> None:
        """The request is written: from now on its answer has so many seconds."""
        if connection is not None:
            timer = threading.Timer(self._seconds, _cut, [connection])
            timer.daemon = True
            timer.start()
            self._timers.append(timer)

    @contextmanager
    def after(self, seconds: float) -> Iterator[None]:
        """Within the block, an answer that is not there, whole, after so many seconds is cut off."""
        self._seconds = seconds
        try:
            yield
        finally:
            while self._timers:
                self._timers.pop().cancel()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError, ValueError):
        connection.shutdown(socket.SHUT_RDWR)


class _Transport(HTTPAdapter):
    """Requests' own, with connections that the deadline knows."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        deadline = self._deadline

        class Watched(HTTPConnection):
            def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override]
                deadline.watch(self.sock)
                return super().getresponse()

        class WatchedTLS(HTTPSConnection):
            def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override]
                deadline.watch(self.sock)
                return super().getresponse()

        class Pool(HTTPConnectionPool):
            ConnectionCls = Watched

        class TLSPool(HTTPSConnectionPool):
            ConnectionCls = WatchedTLS

        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": TLSPool}


class HTTPClient:
    """One connection pool to one provider."""

    def __init__(self, base_url: str, headers: dict[str, str], provider: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.provider = provider
        self.deadline = Deadline()
        self.session = requests.Session()
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Transport(self.deadline))
        self.session.headers.update(headers)

    def request(self, method: str, path: str, *, read_seconds: float, body: Any = None) -> Answer:
        """Make one request. Raises TemporaryError when nothing left, AmbiguousError when it may have.

        The answer must be there, whole, after `read_seconds`. Redirects are not followed: a captive portal must not
        read an SMS.
        """
        try:
            with (
                self.deadline.after(read_seconds),
                self.session.request(
                    method,
                    self.base_url + path,
                    json=body,
                    timeout=(CONNECT_SECONDS, read_seconds),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                content = _content(response)
        except (exceptions.RequestException, urllib3_exceptions.HTTPError, OSError, ValueError) as error:
            # Requests lets some of its parts' own errors through: an odd header, a broken chunk.
            if isinstance(error, exceptions.RequestException) and _never_left(error):
                raise TemporaryError(
                    N_(
                        "Le fournisseur est injoignable : vérifiez la connexion à Internet. "
                        "RaspiSMS réessaie tout seul."
                    ),
                    words=type(error).__name__,
                ) from error
            raise AmbiguousError(
                N_("Le fournisseur n’a pas répondu à temps. RaspiSMS redemande sans risque de doublon."),
                words=type(error).__name__,
            ) from error
        return Answer(response.status_code, content.decode("utf-8", "replace"), _retry_after(response))


def _content(response: requests.Response) -> bytes:
    """The body, however many pieces it comes in, up to ANSWER_BYTES."""
    content = b""
    for piece in response.iter_content(8192):
        content += piece
        if len(content) >= ANSWER_BYTES:
            break
    return content[:ANSWER_BYTES]


def _never_left(error: exceptions.RequestException) -> bool:
    """Whether the failure came before the request was written: no route, no name, refused, a wrong certificate.

    Any other TLS error may come while the answer is read, so it proves nothing.
    """
    if isinstance(
        error,
        exceptions.ConnectTimeout
        | exceptions.ProxyError
        | exceptions.InvalidURL
        | exceptions.MissingSchema
        | exceptions.InvalidSchema,
    ):
        return True
    cause = error.args[0] if error.args else None
    cause = getattr(cause, "reason", cause)
    if isinstance(error, exceptions.SSLError):
        reasons = getattr(cause, "args", ())
        return any(isinstance(reason, ssl.SSLCertVerificationError) for reason in reasons)
    return isinstance(cause, urllib3_exceptions.NewConnectionError | urllib3_exceptions.NameResolutionError)


def _retry_after(response: requests.Response) -> float | None:
    """Seconds of a Retry-After header, given as a number or as a date; at most an hour."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        seconds = float(value[:20])
        return min(seconds, LONGEST_WAIT) if math.isfinite(seconds) else LONGEST_WAIT
    moment, reference = _date(value), _date(response.headers.get("Date", ""))
    if moment is None or reference is None:
        return None
    return max(0.0, min((moment - reference).total_seconds(), LONGEST_WAIT))


def _date(words: str) -> datetime | None:
    """The date of a header; "-0000" says no zone, and means UTC."""
    try:
        moment = parsedate_to_datetime(words)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
