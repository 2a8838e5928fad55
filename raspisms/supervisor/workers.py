"""RQ's worker, with the habits that this product needs."""

from __future__ import annotations

import contextlib
import signal
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Worker as RQWorker
from sqlalchemy.orm import configure_mappers

from .. import create_worker_app
from ..extensions import bell, db
from ..job_queue import SERIALIZER
from ..jobs import ListedJob
from ..operations import health
from ..operations.health import SIGN_SECONDS
from ..sending import claim, dispatch
from . import process, pulse
from .queue_server import wait_for_queue


class Worker(RQWorker):
    """Runs the jobs of a closed list, shows that it lives, comes back soon after the queue server does, and tells its
    running job that it should end."""

    # Seconds. RQ looks for jobs, and so shows itself, fifteen seconds before this is over.
    TTL = 30
    # How often it looks at the job that it has under way; one that is a minute beyond its limit is ended from here.
    WATCH_SECONDS = 10
    # RQ would wait for up to a minute before it looks whether the server is back.
    max_connection_wait_time = 2.0
    sign: str | None = None
    """Key in the queue server under which the pages see that one of us lives."""

    def __init__(self, queues: list[str], connection: Redis) -> None:
        super().__init__(
            queues,
            connection=connection,
            worker_ttl=self.TTL,
            job_monitoring_interval=self.WATCH_SECONDS,
            log_job_description=False,
            serializer=SERIALIZER,
            job_class=ListedJob,
        )

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ calls this wherever it waits or watches. To the supervisor we live, even if the queue server does not."""
        pulse.beat()
        if self.sign is not None:
            with contextlib.suppress(RedisError, OSError):
                self.connection.set(self.sign, 1, ex=SIGN_SECONDS)
        super().heartbeat(timeout, pipeline)

    def handle_warm_shutdown_request(self) -> None:
        """A job that sends stops after its present request; see jobs.drain."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)


def run_worker(settings: dict[str, Any], queue_names: tuple[str, ...]) -> None:
    """Run jobs of these queues, each in a fork of this process."""
    app = create_worker_app(settings)
    with app.app_context():
        _warm_up()
        connection = Redis.from_url(settings["REDIS_URL"])
        wait_for_queue(connection)
        worker = Worker([bell.own(name) for name in queue_names], connection)
        worker.sign = health.sign(queue_names[0])
        worker.work(logging_level="WARNING")


def _warm_up() -> None:
    """Do once here what every job would do again after its fork: mappers, compiled queries, imports.

    The connection is closed before the first fork: a child must not inherit it.
    """
    configure_mappers()
    nobody = 0
    dispatch.drain(nobody)
    claim.is_due(nobody)
    db.session.remove()
    db.engine.dispose()
    process.give_back_memory()
