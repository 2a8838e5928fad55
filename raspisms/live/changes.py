"""Telling open pages that something changed, through the queue server's pub/sub.

What is told names things by id, never by text or number: a page that is told asks the server for what it shows.
So nothing is lost when nobody listens or the queue server is away: pages then ask by themselves, see static/live.js.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from ..extensions import bell

log = logging.getLogger(__name__)

CHANNEL = "live"
_PENDING = "raspisms_live"
# More messages than this are told as "many": a page need not know which.
MANY = 20
# After a failure, nobody is told for so many seconds: sending does not wait for listeners.
QUIET_SECONDS = 5.0

_quiet_until = 0.0


def remember(session: Session, topic: str, *ids: int) -> None:
    """Remember what a transaction changes; told once it is committed, see storage.transactions."""
    session.info.setdefault(_PENDING, {}).setdefault(topic, set()).update(ids)


def forget(session: Session) -> None:
    """Nothing was changed after all."""
    session.info.pop(_PENDING, None)


def tell(session: Session) -> None:
    """Tell what the transaction that was just committed changed. Never raises."""
    pending = session.info.pop(_PENDING, None)
    if pending:
        topics = {topic: sorted(ids) if len(ids) <= MANY else [] for topic, ids in pending.items()}
        publish({"topics": topics})


def publish(event: dict[str, Any]) -> None:
    """Tell every open page. Never raises; False hopes are harmless, see above."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        bell.connection.publish(bell.own(CHANNEL), json.dumps(event))
    except (RedisError, OSError) as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.info("open pages could not be told: %s", type(error).__name__)
