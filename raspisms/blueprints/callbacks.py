"""What providers call: reports, replies and opt-outs. The only routes that the Internet may reach.

Every answer has the same shape, an empty body: a provider's robot switches off addresses that answer
anything else (docs/providers/octopush.md §7.3), and a stranger learns nothing from it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from ..machine.front import CALLBACKS
from ..phones import tokens
from ..receiving import envelope, journal
from ..receiving.inbox import SpooledCallback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

bp = Blueprint("callbacks", __name__, url_prefix="/callbacks")

LARGEST_BODY = 256 * 1024


METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH")


@bp.route("/<token>/<any(status, reception):kind>", methods=METHODS, provide_automatic_options=False)
def receive(token: str, kind: str) -> Response:
    """Store what came and answer at once. A robot that only looks, or sends nothing, gets its 200."""
    try:
        phone_id = tokens.find(token)
    except OSError:
        log.error("a callback came while the database cannot be read")
        return Response(status=503)
    if phone_id is None:
        return Response(status=404)
    try:
        body = _body()
    except HTTPException as error:
        log.warning("phone=%s: a callback was refused with %s", phone_id, error.code)
        return Response(status=error.code)
    query = request.query_string.decode("latin-1")
    only_looks = request.method in {"HEAD", "OPTIONS"} or (request.method == "GET" and not query)
    if not body and only_looks:
        return Response(status=200)
    try:
        label = envelope.label(request.content_type, request.headers.get("Content-Encoding"))
        callback = journal.spooled(phone_id, kind, label, query, body)
        callbacks = request.environ.get(CALLBACKS)
        if callbacks is None:
            journal.keep([callback])
        else:  # stored before the answer leaves, with those of others, see front.py
            callbacks.append(callback)
    except OSError:
        log.exception("phone=%s: a callback could be stored nowhere", phone_id)
        return Response(status=503)
    return Response(status=200)


def _body() -> bytes:
    """The whole body. Raises RequestEntityTooLarge, or ClientDisconnected when it did not come whole.

    Werkzeug cuts a chunked body at its limit without a word: one byte more than we take shows it. A server may do so
    with any body whose sender went away; our own gives us none of those, see front.py.
    """
    request.max_content_length = LARGEST_BODY + 1
    body = request.get_data(cache=False, parse_form_data=False)
    if len(body) > LARGEST_BODY:
        raise RequestEntityTooLarge
    if request.content_length is not None and len(body) != request.content_length:
        raise ClientDisconnected
    return body


def is_quick(app: Flask, environ: Any) -> bool:
    """Whether its token was found a moment ago: nothing waits for the database."""
    parts = environ.get("PATH_INFO", "").strip("/").split("/")
    with app.app_context():
        return len(parts) == 3 and parts[0] == "callbacks" and tokens.is_remembered(parts[1])


def store(app: Flask, callbacks: list[SpooledCallback]) -> None:
    """Store what views have left. Raises OSError."""
    with app.app_context():
        journal.store(callbacks)


def ring(app: Flask) -> None:
    """Tell that something was stored."""
    with app.app_context():
        journal.ring()


class Straight:
    """Addresses of callbacks as a person may have copied them: a slash too many is no other address."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application."""
        path = re.sub("/{2,}", "/", environ.get("PATH_INFO", ""))
        if path.startswith("/callbacks/"):
            environ["PATH_INFO"] = path.rstrip("/")
        return self._app(environ, start_response)


def init_app(app: Flask) -> None:
    """Make `app` the public application: these routes, and the same empty 404 for everything else."""
    app.register_blueprint(bp)
    app.wsgi_app = Straight(app.wsgi_app)  # type: ignore[method-assign]
    for status in (404, 405, 500):
        app.register_error_handler(status, _empty)


def _empty(error: Exception) -> Response:
    return Response(status=getattr(error, "code", 500))
