"""The two ports: pages for the LAN, callbacks for the Internet."""

from __future__ import annotations

import contextlib
import functools
import resource
from collections.abc import Callable
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server
from redis import Redis
from redis.exceptions import RedisError

from .. import blueprints, create_app, create_callbacks_app, vault
from ..blueprints import callbacks
from ..job_queue import owned
from ..live import changes
from ..live.streams import Application
from ..machine import addresses
from ..machine.front import Callbacks
from . import process, pulse

# A connection that has not said what it wants after so many seconds is closed, an idle one as well.
HEADER_SECONDS = 10
MOST_CONNECTIONS, OWN_FILES = 8_000, 300
PAGE_THREADS = 8
CALLBACK_THREADS = 8


def run_web(settings: dict[str, Any]) -> None:
    """Serve the pages, and the streams that tell them what changed."""
    goodbye = functools.partial(_say_goodbye, settings)
    _serve(functools.partial(_pages, settings), settings, settings["PORT"], goodbye)


def _pages(settings: dict[str, Any]) -> Any:
    return Application(create_app(settings), PAGE_THREADS, blueprints.largest_body)


def run_callbacks(settings: dict[str, Any]) -> None:
    """Serve the callbacks."""
    _serve(functools.partial(_callbacks, settings), settings, settings["CALLBACKS_PORT"])


def _callbacks(settings: dict[str, Any]) -> Any:
    app = create_callbacks_app(settings)
    return Callbacks(
        app,
        CALLBACK_THREADS,
        callbacks.LARGEST_BODY,
        is_quick=functools.partial(callbacks.is_quick, app),
        store=functools.partial(callbacks.store, app),
        tell=functools.partial(callbacks.ring, app),
    )


def _serve(
    factory: Callable[[], Any], settings: dict[str, Any], port: int, goodbye: Callable[[], None] = lambda: None
) -> None:
    """Serve an ASGI application, whose Flask has threads of its own; `goodbye` is said before it stops.

    Every open connection has a place, also one that says nothing: there are more than one machine can use up within
    the time after which a silent one is closed. Only HTTP/1 has that time from the beginning (hyper#3756).
    """

    connections = _room_for_connections()

    class Polite(Server):  # type: ignore[misc, valid-type]
        """Ends the streams before its workers: they would hold up the stop for as long as pages are open."""

        def shutdown(self, exit_code: int = 0) -> None:
            goodbye()
            super().shutdown(exit_code)

    server = Polite(
        "raspisms",
        address=settings["BIND"],
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        backlog=4096,
        backpressure=connections,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_level=LogLevels.error,
    )
    works = functools.partial(pulse.answers, addresses.from_here(settings["BIND"]), port, "/health/pulse")
    server.serve(target_loader=functools.partial(_load, factory, works), wrap_loader=False)


def _room_for_connections() -> int:
    """How many connections there may be at once: a server that runs out of file descriptors does nothing else."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OWN_FILES
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return max(256, allowed - OWN_FILES)


def _say_goodbye(settings: dict[str, Any]) -> None:
    """Open pages ask for a new stream elsewhere, or poll; see live.streams.Hub."""
    with contextlib.suppress(RedisError, OSError), Redis.from_url(settings["REDIS_URL"], socket_timeout=1) as queue:
        queue.publish(owned(vault.namespace(settings), changes.CHANNEL), '{"bye": true}')


def _load(factory: Callable[[], Any], works: Callable[[], bool]) -> Any:
    """What granian's worker calls, after its fork, to get the application."""
    app = factory()
    process.give_back_memory()
    pulse.beat_while(works)
    return app
