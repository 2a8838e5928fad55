"""Whether this installation works: the database takes writes, the queue answers, a worker lives."""

from __future__ import annotations

from datetime import timedelta

from redis.exceptions import RedisError
from rq import Worker

from .database import StorageUnavailable, now, transaction
from .extensions import bell
from .models import Heartbeat

# A worker shows itself at least every 45 seconds; see supervisor.worker.
MISSED_AFTER = timedelta(seconds=90)


def takes_writes() -> bool:
    """Whether a write to the database succeeds, tried for real."""
    try:
        with transaction() as session:
            session.merge(Heartbeat(name="ready", at=now()))
    except StorageUnavailable:
        return False
    return True


def has_queue() -> bool:
    """Whether the queue server answers."""
    try:
        return bool(bell.connection.ping())
    except (RedisError, OSError):
        return False


def has_worker() -> bool:
    """Whether a worker showed itself lately."""
    try:
        workers = Worker.all(connection=bell.connection)
    except (RedisError, OSError):
        return False
    ours = [worker for worker in workers if any(name.startswith(bell.own("")) for name in worker.queue_names())]
    beats = [worker.last_heartbeat for worker in ours if worker.last_heartbeat]
    return any(now() - beat < MISSED_AFTER for beat in beats)
