"""A faithful little Octopush on this machine: for demonstrations, training and tests.

It follows docs/providers/octopush.md (§15 above all) and imports nothing of the rest of RaspiSMS, so that it cannot
share its mistakes. Everything is in memory: it forgets when it stops.
"""

from __future__ import annotations

import re

from flask import Flask, abort, request

from . import api, control, handset
from .state import State


def create_sandbox_app(state: State | None = None) -> Flask:
    """The sandbox: the provider's API below /v1/public, a handset page at /, switches below /sandbox."""
    app = Flask(__name__)
    app.extensions["sandbox"] = state or State()
    app.register_blueprint(api.bp)
    app.register_blueprint(control.bp)
    app.register_blueprint(handset.bp)
    app.before_request(_only_this_machine)
    return app


def _only_this_machine() -> None:
    """Refuse what a page of somebody else's makes a browser here ask for, under a name that leads here."""
    host = request.host.rpartition(":")[0] if re.search(r":\d+$", request.host) else request.host
    if host not in {"127.0.0.1", "localhost", "[::1]"}:
        abort(403)
