"""What providers call: reports, replies and opt-outs. The only routes that the Internet may reach.

Every answer has the same shape, an empty body: a provider's robot switches off addresses that answer
anything else (octopush-api.md §7.3), and a stranger learns nothing from it.
"""

from __future__ import annotations

import logging

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ..phones import tokens
from ..receiving import journal

log = logging.getLogger(__name__)

bp = Blueprint("callbacks", __name__, url_prefix="/callbacks")

LARGEST_BODY = 256 * 1024


@bp.route("/<token>/<any(status, reception):kind>", methods=["GET", "POST"])
def receive(token: str, kind: str) -> Response:
    """Store what came and answer at once. A GET without a query is a robot's test, and gets its 200."""
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
    if not body and not query and request.method == "GET":
        return Response(status=200)
    try:
        journal.keep(phone_id, kind, request.content_type or "", query, body)
    except OSError:
        log.exception("phone=%s: a callback could be stored nowhere", phone_id)
        return Response(status=503)
    return Response(status=200)


def _body() -> bytes:
    """The whole body. Raises RequestEntityTooLarge, or ClientDisconnected when it did not come whole.

    Werkzeug cuts a chunked body at its limit without a word: one byte more than we take shows it.
    """
    request.max_content_length = LARGEST_BODY + 1
    body = request.get_data(cache=False, parse_form_data=False)
    if len(body) > LARGEST_BODY:
        raise RequestEntityTooLarge
    return body


def init_app(app: Flask) -> None:
    """Make `app` the public application: these routes, and the same empty 404 for everything else."""
    app.register_blueprint(bp)
    for status in (404, 405, 500):
        app.register_error_handler(status, _empty)


def _empty(error: Exception) -> Response:
    return Response(status=getattr(error, "code", 500))
