"""The family of processes: started, watched, restarted with back-off, stopped together."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import process

log = logging.getLogger(__name__)

FIRST_DELAY = 0.5
LONGEST_DELAY = 5.0
# After this long without dying, the next death is a first one again.
STEADY_SECONDS = 10.0
# Ctrl-C ends everything within ten seconds: this long of asking, what the others need last.
STOP_SECONDS = 6.5
LAST_STOP_SECONDS = 1.5
TICK = 0.5


@dataclass
class Service:
    """One process to keep alive."""

    name: str
    run: Callable[[], None]
    last: bool = False
    """Stopped after the others have ended, since they need it."""
    pid: int = 0
    started: float = 0.0
    deaths: int = 0
    restart_at: float = field(default=0.0)


class Family:
    """Keeps services alive until it is told to stop."""

    def __init__(self, services: Iterable[Service]) -> None:
        self.services = list(services)

    def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call `ready` once, and keep watch until SIGINT or SIGTERM."""
        signal.pthread_sigmask(signal.SIG_BLOCK, process.HANDLED)
        try:
            for service in self.services:
                self._start(service)
            ready()
            while not self._stop_asked():
                self._bury()
                self._revive()
        finally:
            self._stop()

    def _start(self, service: Service) -> None:
        service.pid = process.fork(service.name, service.run)
        service.started = time.monotonic()

    def _stop_asked(self) -> bool:
        """Wait a moment, or until a child dies; whether somebody asked to stop."""
        caught = signal.sigtimedwait(process.HANDLED, TICK)
        return caught is not None and caught.si_signo != signal.SIGCHLD

    def _bury(self) -> None:
        """Note the services whose process has ended."""
        for service in self.services:
            if service.pid and os.waitpid(service.pid, os.WNOHANG)[0]:
                self._mourn(service)

    def _mourn(self, service: Service) -> None:
        process.kill_group(service.pid)
        alive_for = time.monotonic() - service.started
        service.deaths = 1 if alive_for > STEADY_SECONDS else service.deaths + 1
        delay = min(FIRST_DELAY * 2 ** (service.deaths - 1), LONGEST_DELAY)
        service.restart_at = time.monotonic() + delay
        service.pid = 0
        log.warning("%s ended after %.0f s; next start in %.1f s", service.name, alive_for, delay)

    def _revive(self) -> None:
        for service in self.services:
            if not service.pid and service.restart_at <= time.monotonic():
                self._start(service)

    def _stop(self) -> None:
        for late, seconds in ((False, STOP_SECONDS), (True, LAST_STOP_SECONDS)):
            group = [service for service in self.services if service.pid and service.last is late]
            for service in group:
                process.send_signal(service.pid, signal.SIGTERM)
            self._await(group, seconds)
            for service in group:
                if service.pid:
                    log.warning("%s did not stop in time and is ended", service.name)
                    process.kill_session(service.pid)
            self._await(group, 0.5)

    def _await(self, group: list[Service], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while any(service.pid for service in group) and time.monotonic() < deadline:
            signal.sigtimedwait((signal.SIGCHLD,), 0.1)
            for service in group:
                if service.pid and os.waitpid(service.pid, os.WNOHANG)[0]:
                    process.kill_session(service.pid)
                    service.pid = 0
