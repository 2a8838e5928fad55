"""A faithful little Octopush on this machine: for demonstrations, training and tests.

It follows octopush-api.md (§15 above all) and imports nothing of the rest of RaspiSMS, so that it cannot
share its mistakes. Everything is in memory: it forgets when it stops.
"""

from __future__ import annotations

from flask import Flask

from . import api, control, handset
from .state import State


def create_sandbox_app(state: State | None = None) -> Flask:
    """The sandbox: the provider's API below /v1/public, a handset page at /, switches below /sandbox."""
    app = Flask(__name__)
    app.extensions["sandbox"] = state or State()
    app.register_blueprint(api.bp)
    app.register_blueprint(control.bp)
    app.register_blueprint(handset.bp)
    return app
