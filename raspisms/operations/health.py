"""Whether this installation works: the database takes writes, the queue answers, workers and the clock live.

Who lives says so in the queue server, under a key that ends by itself. People read what is wrong on every page.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, current_app
from redis.exceptions import RedisError

from .. import job_queue
from ..clock import now
from ..extensions import bell
from ..i18n import N_
from ..models import Heartbeat
from ..storage.transactions import StorageUnavailable, transaction
from ..team import preferences, public_holidays

# A sign of life ends after this many seconds; each is given again at least every fifteen.
SIGN_SECONDS = 40
SHOW_SECONDS = 10.0
CLOCK = "clock"
# What pages are told is looked at so often, and not before a new installation had the time to show itself.
LOOK_SECONDS = 10.0
GRACE_SECONDS = 50.0
# Names of the services that end as soon as they start, as the supervisor sees them; see cli/up.py.
LOOPS_FILE = "troubled-services"


@dataclass(frozen=True)
class Trouble:
    """What does not work, and what to do; both are sentences (msgids)."""

    what: str
    advice: str


ASK = N_("Prévenez qui a installé RaspiSMS : relancez-le, et si cela continue, son journal dit pourquoi.")
NO_QUEUE = Trouble(
    N_("La file d’attente ne répond pas : l’envoi et la réception sont ralentis ou arrêtés. Rien n’est perdu."), ASK
)
SILENT = {
    job_queue.SENDING: Trouble(N_("Aucun processus d’envoi ne tourne : les SMS attendent. Rien n’est perdu."), ASK),
    job_queue.RECEIVING: Trouble(
        N_("Le processus de réception ne tourne pas : accusés et réponses arrivent en retard. Rien n’est perdu."), ASK
    ),
    CLOCK: Trouble(
        N_("L’horloge de RaspiSMS est arrêtée : ce qui est programmé ou à réessayer attend. Rien n’est perdu."), ASK
    ),
}
CLOCK_BEHIND = Trouble(
    N_("L’horloge de cette machine est en retard : les dates et les heures d’envoi sont fausses."),
    N_("Mettez-la à l’heure (un Raspberry Pi la demande au réseau au démarrage), puis relancez RaspiSMS."),
)
# No clock that is right has been before this: it is set at each release.
RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
NO_CALENDAR = Trouble(
    N_("Le calendrier des jours fériés est illisible : les envois de publicité ne sautent plus les jours fériés."), ASK
)
LOOPS = Trouble(N_("Un service de RaspiSMS s’arrête dès qu’il démarre. Rien n’est perdu."), ASK)


def clock_is_behind() -> bool:
    """Whether this machine believes to live before this program was written."""
    return now() < RELEASED


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
    """Whether a worker that sends showed itself lately."""
    return job_queue.SENDING in (_alive() or ())


def sign(name: str) -> str:
    """The key under which somebody shows that they live: a queue's name for its workers, or CLOCK."""
    return bell.own(f"alive:{name}")


def show_while(app: Flask, name: str, works: Callable[[], bool]) -> None:
    """Show that somebody lives as long as they work, from a thread of its own."""
    with app.app_context():
        key, connection = sign(name), bell.connection

    def show() -> None:
        while True:
            if works():
                with contextlib.suppress(RedisError, OSError):  # the queue's own trouble: the pages see it themselves
                    connection.set(key, 1, ex=SIGN_SECONDS)
            time.sleep(SHOW_SECONDS)

    threading.Thread(target=show, name="signs of life", daemon=True).start()


def _alive() -> set[str] | None:
    """Who showed themselves lately; None when the queue server does not answer."""
    names = list(SILENT)
    try:
        shown = bell.connection.mget([sign(name) for name in names])
    except (RedisError, OSError):
        return None
    return {name for name, found in zip(names, shown, strict=True) if found}


# -- what people are told -------------------------------------------------------------------------------


class Watch:
    """What is wrong, looked at now and then: pages are many, and a queue server that hangs must not slow each."""

    def __init__(self, instance: Path) -> None:
        self._loops = instance / LOOPS_FILE
        self._guard = threading.Lock()
        self._began = time.monotonic()
        self._looked = float("-inf")
        self._found: tuple[Trouble, ...] = ()

    def troubles(self) -> tuple[Trouble, ...]:
        """What is wrong, at most ten seconds old."""
        with self._guard:
            if time.monotonic() - self._looked < LOOK_SECONDS:
                return self._found
            self._looked = time.monotonic()  # whoever comes meanwhile is not kept waiting
        self._found = tuple(self._look())
        return self._found

    def _look(self) -> list[Trouble]:
        found = [CLOCK_BEHIND] if clock_is_behind() else []
        if public_holidays.troubled(preferences.REGIONS, now().year):
            found.append(NO_CALENDAR)
        alive = _alive()
        if alive is None:
            found.append(NO_QUEUE)
        elif time.monotonic() - self._began > GRACE_SECONDS:
            found += [trouble for name, trouble in SILENT.items() if name not in alive]
        if self._has_loops() and set(found) <= {
            CLOCK_BEHIND,
            NO_CALENDAR,
        }:  # else what it leaves undone is said already
            found.append(LOOPS)
        return found

    def _has_loops(self) -> bool:
        try:
            return bool(json.loads(self._loops.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return False


def init_app(app: Flask) -> None:
    """Give the pages their look at what is wrong."""
    app.extensions["watch"] = Watch(Path(app.config["INSTANCE"]))


def troubles() -> tuple[Trouble, ...]:
    """What is wrong with the current application's installation."""
    watch: Watch = current_app.extensions["watch"]
    return watch.troubles()
