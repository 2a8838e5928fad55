"""The bell: tells a worker that the database holds something to do.

The queue server may be empty, gone or wiped at any time. Nothing is lost by that: whatever a ring would
have announced is in the database, and the clock's sweep rings again. So ringing never raises.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

log = logging.getLogger(__name__)

# A page must not hang because the bell does.
BELL_SECONDS = 2.0
# A flag that its job never took away (a lost job, a killed worker) stops counting after this long.
FLAG_SECONDS = 5
# A job record is of no use once the job has run: the truth is in the database.
KEEP_FAILED_SECONDS = 3600

SENDING = "sending"
RECEIVING = "receiving"
UPKEEP = "upkeep"
LISTS = "lists"
# Which worker listens to what: a long campaign never holds up replies, reports and checks. Lists of people
# are worked on when nothing else waits, and let what comes meanwhile pass.
SENDING_WORKER = (SENDING,)
RECEIVING_WORKER = (RECEIVING, UPKEEP, LISTS)
DRAIN = "raspisms.jobs.drain"
APPLY_CALLBACKS = "raspisms.jobs.apply_callbacks"
CHECK_PHONE = "raspisms.jobs.check_phone"
WORK_IMPORT = "raspisms.jobs.work_import"
WORK_CAMPAIGN = "raspisms.jobs.work_campaign"
POST_NOTICES = "raspisms.jobs.post_notices"
PUSH = "raspisms.jobs.push"
# Jobs on a queue server that somebody else can write to must not be code: no pickle, names of a closed list
# (jobs.ListedJob), and ids.
SERIALIZER = "rq.serializers.JSONSerializer"
# Seconds after which a job is ended: more than its own budget plus one slow request.
DRAIN_SECONDS = 120
APPLY_SECONDS = 120
CHECK_SECONDS = 90
NOTICE_SECONDS = 300
# It stops by itself long before; what is left goes on in the next one.
LIST_SECONDS = 600


def owned(namespace: str, name: str) -> str:
    """A name in the queue server, with the namespace of one installation; see vault.namespace."""
    return f"raspisms:{namespace}:{name}"


class Bell:
    """Rings at most one pending job for one thing to do, whatever the number of callers."""

    def __init__(self) -> None:
        self._is_away = False

    def init_app(self, app: Flask) -> None:
        """Open no connection yet: the queue server may start later than the pages."""
        app.extensions["bell"] = Redis.from_url(
            app.config["REDIS_URL"],
            socket_connect_timeout=app.config.get("BELL_SECONDS", BELL_SECONDS),
            socket_timeout=app.config.get("BELL_SECONDS", BELL_SECONDS),
            health_check_interval=30,
        )

    @property
    def connection(self) -> Redis:
        """The current application's connection to the queue server."""
        connection: Redis = current_app.extensions["bell"]
        return connection

    def ring(self, queue: str, function: str, *args: int, timeout: int) -> bool:
        """Ask a worker of `queue` to run `function(*args)`; False when the queue server is out of reach.

        A second ring before the job starts adds no second job: the job reads everything that is due.
        `timeout` is the job's, in seconds. The job must call `answer` first.
        """
        flag = self._flag(function, args)
        try:
            if not self.connection.set(flag, 1, nx=True, ex=FLAG_SECONDS):
                return True
            Queue(self.own(queue), connection=self.connection, serializer=SERIALIZER).enqueue(
                function,
                *args,
                job_timeout=timeout,
                result_ttl=0,
                failure_ttl=KEEP_FAILED_SECONDS,
            )
        except (RedisError, OSError) as error:
            self._say_once(type(error).__name__)
            return False
        self._is_away = False
        return True

    def ring_drain(self, account_id: int) -> bool:
        """Ask a worker to send what is due for an account."""
        return self.ring(SENDING, DRAIN, account_id, timeout=DRAIN_SECONDS)

    def _say_once(self, error: str) -> None:
        """A queue server that is away is one line of the log, not one for each ring."""
        if not self._is_away:
            log.warning("queue server out of reach, the sweep will ring later: %s", error)
        self._is_away = True

    def answer(self, function: str, *args: Any) -> None:
        """Called by a job before it reads the database: from now on a ring makes a new job."""
        try:
            self.connection.delete(self._flag(function, args))
        except (RedisError, OSError):
            self._say_once("while answering")

    def own(self, name: str) -> str:
        """A name in the queue server that no other installation has: several may share one server.

        All machines of an installation share its secret, so they find the same name.
        """
        return owned(current_app.config["NAMESPACE"], name)

    def _flag(self, function: str, args: tuple[Any, ...]) -> str:
        return self.own("bell:" + ":".join([function, *map(str, args)]))
