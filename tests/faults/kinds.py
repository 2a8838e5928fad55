"""The faults: what each breaks, and how it is made whole again."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import requests
from redis import Redis
from sqlalchemy import func, select

from raspisms.campaigns import lifecycle
from raspisms.extensions import db
from raspisms.messages import restored
from raspisms.models import Decision, Heartbeat, Import, ImportState, Message, Phone, Status
from raspisms.people import contact_list, contacts, imports, reading
from raspisms.sending import acceptance, restoration
from tests.databases import locked, url_of
from tests.factories import until
from tests.faults.installation import PHONES, Installation, wait
from tests.tree import children

Break = Callable[[Installation, Random, float], None]
# Longer than the adapter waits for an answer, so that a hang is met as one.
HANG_SECONDS = 40.0


@dataclass(frozen=True)
class Kind:
    """One kind of fault."""

    break_something: Break
    afterwards: Callable[[Installation], int] = lambda _installation: 0
    """What is done once everything is calm again; how often the provider took something too often by that."""
    seconds: float = 0.0
    """How long it lasts in the full suite; the short one shortens it."""
    by_page: bool = False
    small_disk: bool = False
    own_clock: bool = False
    leaves_traces: bool = False
    """What it does to an installation changes what can be seen of the next fault."""
    helpers: int = 0
    """Other machines that run `raspisms worker`; they need a database that machines can share."""

    @property
    def needs_its_own(self) -> bool:
        """Whether it needs an installation that others do not have, or leaves one that others should not."""
        return self.small_disk or self.own_clock or self.helpers > 0 or self.leaves_traces


def kill(*names: str) -> Break:
    """kill -9 one of these services."""

    def strike(installation: Installation, random: Random, _seconds: float) -> None:
        _kill(installation.tree.service(random.choice(names)))

    return strike


def kill_job(installation: Installation, random: Random, _seconds: float) -> None:
    """kill -9 the jobs that are running, of senders and receiver."""
    for name in ("sender-1", "sender-2", "receiver"):
        for pid in installation.tree.horses(name):
            _kill(pid)


def kill_inside(name: str) -> Break:
    """kill -9 a service or the process inside it that does its work."""

    def strike(installation: Installation, random: Random, _seconds: float) -> None:
        service = installation.tree.service(name)
        _kill(random.choice([service, *children(service)]))

    return strike


def kill_everything(installation: Installation, _random: Random, _seconds: float) -> None:
    """kill -9 every process at once, as a power cut does."""
    for pid in installation.tree.processes():
        if pid != os.getpid():
            _kill(pid)
    installation.tree.up.wait(10)
    installation.tree.start()


def stop_in_the_middle(installation: Installation, _random: Random, _seconds: float) -> None:
    """SIGTERM, as a service manager stops us; then a start."""
    installation.tree.stop(signal.SIGTERM)
    installation.tree.start()


def wipe_queue(installation: Installation, _random: Random, _seconds: float) -> None:
    """Everything that the queue server holds is gone."""
    with contextlib.closing(Redis.from_url(installation.app.config["REDIS_URL"])) as connection:
        connection.flushall()


def stop_queue(installation: Installation, _random: Random, seconds: float) -> None:
    """The queue server hangs for so long."""
    pid = installation.tree.service("queue")
    os.kill(pid, signal.SIGSTOP)
    try:
        wait(seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def provider(*faults: str) -> Break:
    """The provider's next answers, one to three of them, are of these kinds."""

    def strike(installation: Installation, random: Random, seconds: float) -> None:
        installation.state.switches.hang = seconds or HANG_SECONDS
        with installation.state.lock:
            installation.state.faults.extend(random.choices(faults, k=random.randint(1, 3)))

    return strike


def step_clock(installation: Installation, random: Random, _seconds: float) -> None:
    """The machine's clock jumps by an hour, either way."""
    installation.set_clock(random.choice((3600, -3600, 0)))


def lock_database(installation: Installation, _random: Random, seconds: float) -> None:
    """Something else writes to the database for so long."""
    with locked(url_of(installation.tree.settings())):
        wait(seconds)


def fill_disk(installation: Installation, _random: Random, seconds: float) -> None:
    """Not a byte is free for so long."""
    with installation.full_disk():
        wait(seconds)


def kill_helper(installation: Installation, random: Random, _seconds: float) -> None:
    """One of the other machines vanishes, and comes back."""
    helper = random.choice(installation.helpers)
    for pid in helper.processes():
        _kill(pid)
    helper.up.wait(10)
    installation.start_helper(helper)


# What nobody foresaw: each of these has once made a parser raise something.
PART = b"--x\r\nContent-Disposition: form-data; %s\r\n\r\npoison\r\n--x--\r\n"
POISONS = (
    ("multipart/form-data; boundary=x; a*", PART % b"name=number"),
    ("multipart/form-data; boundary=x", PART % b"name=number; a*"),
    ("application/json", b'["poison", ' + b"[" * 50_000),
    ("application/json", b'{"number": "poison", "delivery_date": ' + b"9" * 6_000 + b"}"),
    ("text/plain", b"poison \xff\xfe\x00"),
)


def poison_callbacks(installation: Installation, random: Random, _seconds: float) -> None:
    """A stranger, or the provider, posts what cannot be read among what can."""
    for content_type, body in random.sample(POISONS, k=3):
        login, _ = random.choice(list(PHONES.values()))
        url = random.choice(list(installation.state.account(login).callbacks.values()))
        with contextlib.suppress(requests.RequestException):
            requests.post(url, data=body, headers={"Content-Type": content_type}, timeout=5)


def long_job(installation: Installation, random: Random, _seconds: float) -> None:
    """A list of thousands is brought in, changed and taken back while people write."""
    first = random.randrange(10_000, 80_000) * 100
    lines = [reading.Line(n, f"06{first + n:08}"[:10], f"Nom {n}", {"ville": "Lyon"}) for n in range(1, 1_500)]
    with installation.app.app_context():
        import_id = imports.begin(lines, "liste", None).id
        for verb, state in ((imports.apply, ImportState.READY), (imports.undo, ImportState.APPLIED)):
            until(functools.partial(_is_import, import_id, state), 60, f"an import that is {state.value}")
            verb(import_id)
            contacts.set_datum(contact_list.matching(), "mandat", str(random.random()))
        until(functools.partial(_is_import, import_id, ImportState.UNDONE), 60, "an import that is undone")
        db.session.remove()


def _is_import(import_id: int, state: ImportState) -> bool:
    db.session.rollback()
    found = db.session.get(Import, import_id, populate_existing=True)
    imports.ring(import_id)
    return found is not None and found.state is state


def retry_with_late_report(installation: Installation, random: Random, _seconds: float) -> None:
    """It failed, and arrived after all while somebody sends it again; somebody kills whoever is at work."""
    number = installation.aside_number()
    with installation.app.app_context():
        phone = db.session.get(Phone, installation.phones[0].id)
        text = f"Renvoi {random.random()}"
        campaign_id = acceptance.post_campaign(phone, [(1, number)], text).campaign_id
        ticket = until(lambda: installation.ticket(text), 60, "a ticket")
        until(lambda: installation.status(campaign_id) is Status.SENT, 60, "a message that was sent")
        installation.report(ticket, number, "NOT_DELIVERED")
        until(lambda: installation.status(campaign_id) is Status.FAILED, 60, "a message that failed")
        installation.report(ticket, number, "DELIVERED")
        with contextlib.suppress(lifecycle.Refused):  # it is known already that it arrived
            lifecycle.retry_failed(campaign_id)
        kill(random.choice(("sender-1", "sender-2", "receiver", "clock")))(installation, random, 0)
        until(lambda: installation.status(campaign_id) is Status.DELIVERED, 60, "a message that was delivered")
        db.session.remove()


def half_sent_and_bursts(installation: Installation, random: Random, seconds: float) -> None:
    """Hundreds of half-sent requests stay open on both ports, while a crowd answers in callbacks of hundreds."""
    url = random.choice([account.callbacks["inbounds"] for account in installation.state.accounts.values()])
    path, tree = url.partition(str(installation.tree.callbacks_port))[2], installation.tree
    halves = (
        (tree.callbacks_port, f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n[{{"),
        (tree.callbacks_port, ""),
        (tree.port, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nemail="),
        (tree.port, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "),
    )
    word = f"Rafale {random.random()}"
    with contextlib.ExitStack() as opened:
        for port, say in halves * 75:
            one = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            one.sendall(say.encode())
        number = installation.aside_number()
        for part in range(3):
            said = {"number": number, "reception_date": "2026-11-26 05:00:00"}
            crowd = [said | {"text": f"{word} {part} {n}"} for n in range(150)]
            until(functools.partial(_is_taken, url, crowd), 20, "an answer to a burst")
        wait(min(seconds, 3.0))
    with installation.app.app_context():
        mine = select(func.count()).select_from(Message).where(Message.text.startswith(word))
        until(lambda: db.session.rollback() or db.session.scalar(mine) == 450, 60, "each of the burst, once")
        db.session.remove()


def _is_taken(url: str, crowd: list[dict]) -> bool:
    """As the provider does: again, until it is answered with a 2xx."""
    with contextlib.suppress(requests.RequestException):
        return requests.post(url, json=crowd, timeout=5).ok
    return False


def damage_queue(installation: Installation, random: Random, _seconds: float) -> None:
    """A power cut, after which the queue server finds what nobody could read."""
    folder = installation.tree.instance / "queue"
    for pid in installation.tree.processes():
        if pid != os.getpid():
            _kill(pid)
    installation.tree.up.wait(10)
    kept = folder / "appendonlydir"
    kept.mkdir(exist_ok=True)
    manifest = b"" if random.random() < 0.5 else b"file appendonly.aof.1.incr.aof seq 1 type i\n"
    (kept / "appendonly.aof.manifest").write_bytes(manifest)
    (kept / "appendonly.aof.1.incr.aof").write_bytes(b"*1\r\n$4\r\nPING\r\n" + bytes(4096))
    (folder / "dump.rdb").write_bytes(random.randbytes(200))
    if random.random() < 0.3:  # something else, that no list of ours foresees
        (folder / "valkey.log").unlink(missing_ok=True)
        (folder / "valkey.log").mkdir(exist_ok=True)
    installation.tree.start()


def copy_database(installation: Installation, _random: Random, _seconds: float) -> None:
    """Somebody makes a backup while everything is under way."""
    installation.make_copy()


def restore_copy(installation: Installation) -> int:
    """That backup comes back: nothing of it leaves, until somebody has decided, and nothing then."""
    taken = len(installation.state.messages)
    installation.tree.stop(signal.SIGTERM)
    installation.restore_copy()
    installation.tree.start()
    with installation.app.app_context():
        beats = select(Heartbeat.at).where(Heartbeat.name == "clock")
        first = db.session.scalar(beats)
        until(lambda: db.session.rollback() or db.session.scalar(beats) != first, 120, "the clock's look")
        if (found := restored.current(db.session())) is not None:
            restoration.decide(found.id, Decision.KEEP_BACK, None)
            until(lambda: db.session.rollback() or restored.current(db.session()) is None, 60, "the decision")
        db.session.remove()
    wait(1.0)
    return len(installation.state.messages) - taken


def _kill(pid: int | None) -> None:
    with contextlib.suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGKILL)


KINDS: dict[str, Kind] = {
    "kill -9 a sending worker": Kind(kill("sender-1", "sender-2")),
    "kill -9 the receiving worker": Kind(kill("receiver")),
    "kill -9 the running jobs": Kind(kill_job),
    "kill -9 web": Kind(kill_inside("web"), by_page=True),
    "kill -9 callbacks": Kind(kill_inside("callbacks")),
    "kill -9 clock": Kind(kill("clock")),
    "kill -9 the queue server": Kind(kill("queue")),
    "kill -9 the whole tree": Kind(kill_everything),
    "SIGTERM in mid campaign": Kind(stop_in_the_middle),
    "queue wiped": Kind(wipe_queue),
    "queue stopped": Kind(stop_queue, seconds=60),
    "connection cut before acceptance": Kind(provider("cut_before")),
    "connection cut after acceptance": Kind(provider("cut_after")),
    "provider hangs": Kind(provider("hang", "hang_after"), seconds=HANG_SECONDS),
    "500, 502 in HTML, 429, 438": Kind(provider("500_html", "502_html", "500_after", "429", "438")),
    "garbage, empty answer": Kind(provider("garbage", "garbage_after", "empty_after")),
    "clock steps by an hour": Kind(step_clock, own_clock=True),
    "database locked": Kind(lock_database, seconds=10),
    "disk full": Kind(fill_disk, seconds=2, small_disk=True),
    "kill -9 one of two machines": Kind(kill_helper, helpers=2),
    "poisoned callback": Kind(poison_callbacks),
    "long job beside people": Kind(long_job, by_page=True),
    "retry with late report": Kind(retry_with_late_report),
    "half-sent bodies and bursts": Kind(half_sent_and_bursts, seconds=3, by_page=True),
    "damaged queue file": Kind(damage_queue, leaves_traces=True),
    "restored copy": Kind(copy_database, afterwards=restore_copy, leaves_traces=True),
}


def kinds_on(database: str) -> list[str]:
    """The kinds that make sense there: a SQLite file is not shared between machines."""
    return [name for name, kind in KINDS.items() if database == "postgresql" or not kind.helpers]
