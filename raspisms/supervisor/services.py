"""What each process of `raspisms up` does."""

from __future__ import annotations

import functools
import logging
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from .. import create_worker_app, job_queue
from ..operations import health
from . import process, pulse
from .queue_server import queue_answers, run_queue, set_queue_aside
from .watch import Service
from .web_server import run_callbacks, run_web
from .workers import run_worker

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
TIDY_SECONDS = 60.0
# A sweep that takes longer than this hangs, as far as the pages are concerned.
SLOW_SWEEP_SECONDS = 120.0


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
    names = {"receiver": job_queue.RECEIVING_WORKER} | {
        f"sender-{number}": job_queue.SENDING_WORKER for number in range(1, settings["WORKERS"] + 1)
    }
    return [
        Service(name, functools.partial(run_worker, settings, wanted), patience=PATIENCE["worker"])
        for name, wanted in names.items()
    ]


def run_workshop(settings: dict[str, Any]) -> None:
    """Work on what members and strangers wrote, each time in a child that may be ended."""
    from ..workshop import child

    child.listen(Path(settings["WORKSHOP"]), pulse.beat)


def run_clock(settings: dict[str, Any]) -> None:
    """Sweep every few seconds: the queue may forget, the database does not."""
    from sqlalchemy.exc import SQLAlchemyError

    from ..extensions import db
    from ..scheduler import clock_jumps, steps, sweep
    from ..storage.transactions import StorageUnavailable

    ended = _until_sigterm()
    app = create_worker_app(settings)
    watch = clock_jumps.Watch()
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
                    clock_jumps.release(timedelta(0))
                wait = sweep.sweep()
                if since_tidy >= TIDY_SECONDS:
                    sweep.tidy()
                    since_tidy = 0.0
                    process.give_back_memory()
            except (StorageUnavailable, SQLAlchemyError, OSError):
                log.exception("the sweep failed and is tried again")
                wait = steps.SWEEP_SECONDS
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
    state.callbacks.close()
    server.shutdown()


def _until_sigterm() -> threading.Event:
    ended = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    return ended
