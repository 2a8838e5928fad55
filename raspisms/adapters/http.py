"""HTTP as adapters use it: one session, explicit time-outs, and errors that say whether it left."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests import exceptions
from urllib3 import exceptions as urllib3_exceptions

from ..words import N_
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
            return json.loads(self.text)
        except ValueError:
            return None


class HTTPClient:
    """One connection pool to one provider."""

    def __init__(self, base_url: str, headers: dict[str, str], provider: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.provider = provider
        self.session = requests.Session()
        self.session.headers.update(headers)

    def request(self, method: str, path: str, *, read_seconds: float, body: Any = None) -> Answer:
        """Make one request. Raises TemporaryError when nothing left, AmbiguousError when it may have.

        Redirects are not followed: a captive portal must not read an SMS.
        """
        try:
            with self.session.request(
                method,
                self.base_url + path,
                json=body,
                timeout=(CONNECT_SECONDS, read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _content(response)
        except exceptions.RequestException as error:
            if _never_left(error):
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
    if value.isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
        reference = parsedate_to_datetime(response.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, min((moment - reference).total_seconds(), LONGEST_WAIT))
