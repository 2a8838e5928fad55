"""Services: started, watched, restarted with back-off, replaced when silent, stopped together."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import process
from .pulse import Pulse

log = logging.getLogger(__name__)

FIRST_DELAY = 0.5
LONGEST_DELAY = 5.0
# After this long without dying, the next death is a first one again.
STEADY_SECONDS = 10.0
# So many deaths in a row are a loop: people are told, and the log says no more of each.
LOOP = 3
# Ctrl-C ends everything within ten seconds: this long of asking, what the others need last.
STOP_SECONDS = 6.5
LAST_STOP_SECONDS = 1.5
TICK = 0.5
# How often what cannot beat by itself is asked.
PROBE_SECONDS = 5.0
# A supervisor that did not run for so long (a machine that slept) cannot say who was silent meanwhile.
SLEPT_SECONDS = 5.0


@dataclass
class Service:
    """One process to keep alive."""

    name: str
    run: Callable[[], None]
    last: bool = False
    """Stopped after the others have ended, since they need it."""
    patience: float = float("inf")
    """Seconds of silence after which it is replaced."""
    probe: Callable[[], bool] | None = None
    """Asks a program that is not ours whether it lives; others beat by themselves."""
    mend: Callable[[], None] | None = None
    """What may help one that dies again and again."""
    pid: int = 0
    started: float = 0.0
    deaths: int = 0
    restart_at: float = field(default=0.0)
    pulse: Pulse | None = None
    felt: float = 0.0
    probed: float = 0.0


class Supervisor:
    """Keeps services alive until it is told to stop.

    `tell` is called with the names of those that die again and again, whenever that changes.
    """

    def __init__(self, services: Iterable[Service], tell: Callable[[list[str]], None] = lambda _: None) -> None:
        self.services = list(services)
        self._tell, self._told = tell, [""]
        self._looked = time.monotonic()

    def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call `ready` once, and keep watch until SIGINT or SIGTERM."""
        signal.pthread_sigmask(signal.SIG_BLOCK, process.HANDLED)
        try:
            self._say_who_loops()
            for service in self.services:
                self._start(service)
            ready()
            while not self._stop_asked():
                self._note_ends()
                self._replace_silent()
                self._restart()
                self._say_who_loops()
        finally:
            self._stop()

    def _start(self, service: Service) -> None:
        pulse = Pulse()

        def run() -> None:
            pulse.give()
            service.run()

        service.pid = process.fork(service.name, run)
        pulse.keep()
        service.pulse, service.started = pulse, time.monotonic()
        service.felt = service.probed = service.started

    def _stop_asked(self) -> bool:
        """Wait a moment, or until a child dies; whether somebody asked to stop."""
        caught = signal.sigtimedwait(process.HANDLED, TICK)
        return caught is not None and caught.si_signo != signal.SIGCHLD

    def _note_ends(self) -> None:
        """Note the services whose process has ended."""
        for service in self.services:
            if service.pid and os.waitpid(service.pid, os.WNOHANG)[0]:
                self._plan_restart(service)

    def _plan_restart(self, service: Service) -> None:
        process.kill_group(service.pid)
        self._forget(service)
        alive_for = time.monotonic() - service.started
        service.deaths = 1 if alive_for > STEADY_SECONDS else service.deaths + 1
        delay = min(FIRST_DELAY * 2 ** (service.deaths - 1), LONGEST_DELAY)
        service.restart_at = time.monotonic() + delay
        if service.deaths < LOOP:
            log.warning("%s ended after %.0f s; next start in %.1f s", service.name, alive_for, delay)
        elif service.deaths == LOOP:
            log.error("%s ends as soon as it starts; it is started every %.0f s", service.name, LONGEST_DELAY)
        if service.deaths > 1 and service.mend is not None:
            service.mend()

    def _replace_silent(self) -> None:
        """End what hangs: it is started again as if it had died."""
        moment = time.monotonic()
        slept = moment - self._looked
        self._looked = moment
        for service in self.services:
            if not service.pid or service.pulse is None:
                continue
            if slept > SLEPT_SECONDS:
                service.felt += slept
            if service.pulse.was_felt() or self._is_answering(service, moment):
                service.felt = moment
            elif moment - service.felt > service.patience:
                log.error("%s gives no sign of life for %.0f s and is replaced", service.name, service.patience)
                process.kill_session(service.pid)

    @staticmethod
    def _is_answering(service: Service, moment: float) -> bool:
        if service.probe is None or moment - service.probed < PROBE_SECONDS:
            return False
        service.probed = moment
        return service.probe()

    def _restart(self) -> None:
        for service in self.services:
            if not service.pid and service.restart_at <= time.monotonic():
                try:
                    self._start(service)
                except OSError:  # out of memory, processes or files for a moment: the others go on
                    log.exception("%s could not be started and is tried again", service.name)
                    service.restart_at = time.monotonic() + LONGEST_DELAY

    def _say_who_loops(self) -> None:
        steady = time.monotonic() - STEADY_SECONDS
        loops = [
            service.name
            for service in self.services
            if service.deaths >= LOOP and not (service.pid and service.started < steady)
        ]
        if loops != self._told:
            self._tell(loops)
            self._told = loops

    @staticmethod
    def _forget(service: Service) -> None:
        service.pid = 0
        if service.pulse is not None:
            service.pulse.close()
            service.pulse = None

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
                    self._forget(service)
