"""For machines: is the program there, and does it work?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from ..operations import health
from ..team import users

bp = Blueprint("health", __name__, url_prefix="/health")


@bp.get("/live")
def live() -> Response:
    """The pages answer."""
    return jsonify(status="pass", new_installation=users.is_new_installation())


@bp.get("/pulse")
def pulse() -> tuple[str, int]:
    """A thread of the pages answers; nothing else is asked. For the supervisor."""
    return "", 204


@bp.get("/ready")
def ready() -> tuple[Response, int]:
    """Messages can be written, and somebody is there to send them; 503 when not."""
    checks = {
        "database": health.takes_writes(),
        "queue": health.has_queue(),
        "worker": health.has_worker(),
    }
    words = {name: {"status": "pass" if passed else "fail"} for name, passed in checks.items()}
    passed = all(checks.values())
    return jsonify(status="pass" if passed else "fail", checks=words), 200 if passed else 503
