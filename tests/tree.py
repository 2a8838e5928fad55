"""A whole installation, started as people start it: `raspisms up --sandbox`."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from tests import commands
from tests.factories import KEY, until

LOGIN = "mairie@example.org"
NUMBER = "+33755551111"


# Below those that the system gives to whoever calls somebody (from 32768): while an installation is down, its ports
# must stay free. Chromium opens no page at 10080.
PORTS = [port for port in range(10_000, 32_000) if port != 10_080]
_mine: list[socket.socket] = []


def free_ports(count):
    """Ports that no process of any test run uses or will use, until this process ends."""
    found = []
    begin = random.SystemRandom().randrange(len(PORTS))
    for port in itertools.islice(itertools.cycle(PORTS), begin, begin + len(PORTS)):
        if _is_reserved_for_us(port) and is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no port is free")


def _is_reserved_for_us(port):
    """A name that the kernel gives to one process only."""
    one = socket.socket(socket.AF_UNIX)
    try:
        one.bind(f"\0raspisms tests, port {port}")
    except OSError:
        one.close()
        return False
    _mine.append(one)
    return True


def is_free(port):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def children(pid):
    """Pids of what a process has forked; none when it is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Tree:
    """The processes of one instance, and what people do with it."""

    program = (sys.executable, "-m", "raspisms")
    arguments = ("up", "--sandbox")

    @staticmethod
    def new_database(instance):
        """Settings that lead to a new database; the file in the instance folder needs none."""
        return {}

    def __init__(self, folder: Path, **more: str) -> None:
        self.instance = folder / "instance"
        self.port, self.callbacks_port, self.sandbox_port = free_ports(3)
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        self.log = folder / "up.log"
        self.environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("RASPISMS_", "LC_", "LANG"))
        }
        self.environ |= {
            "RASPISMS_INSTANCE": str(self.instance),
            "RASPISMS_PORT": str(self.port),
            "RASPISMS_CALLBACKS_PORT": str(self.callbacks_port),
            "RASPISMS_SANDBOX_PORT": str(self.sandbox_port),
            "RASPISMS_OCTOPUSH_URL": f"{self.sandbox}/v1/public",
            **self.new_database(self.instance),
            **more,
        }
        self.up: subprocess.Popen | None = None

    def settings(self):
        """What its processes are told by the environment, and nothing else."""
        return {name: value for name, value in self.environ.items() if name.startswith("RASPISMS_")}

    def start(self):
        with self.log.open("a") as log:
            self.up = subprocess.Popen([*self.program, *self.arguments], env=self.environ, stdout=log, stderr=log)
        until(self.is_ready, 30, "a ready installation")
        return self

    def is_ready(self):
        assert self.up.poll() is None, self.log.read_text()
        try:
            is_ready = requests.get(f"{self.url}/health/ready", timeout=2).status_code == 200
            # The sandbox is the last to start, and pages do not wait for it.
            return is_ready and ("--sandbox" not in self.arguments or bool(self.state()))
        except requests.RequestException:
            return False

    def stop(self, signum=signal.SIGINT):
        self.up.send_signal(signum)
        return self.up.wait(10)

    def setup_link(self):
        found = re.search(r"http://\S+/setup/\S+", self.log.read_text())
        return found and found.group(0)

    def processes(self):
        """Pids of every living process of this instance, however it was started."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                mine = f"RASPISMS_INSTANCE={self.instance}\0".encode() in (folder / "environ").read_bytes()
                # Valkey writes its title over its environment.
                mine = mine or f"{self.instance}/queue".encode() in (folder / "cmdline").read_bytes()
                dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                continue
            if mine and not dead:
                found.append(int(folder.name))
        return found

    def service(self, name):
        """Pid of one service, a child of the supervisor."""
        wanted = {"queue": "valkey-server"}.get(name, f"rsms:{name}")
        for pid in self.processes():
            try:
                stat = Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                continue
            comm, fields = stat[stat.index("(") + 1 : stat.rindex(")")], stat.rpartition(")")[2].split()
            if comm == wanted[:15] and int(fields[1]) == self.up.pid:
                return pid
        return None

    def horses(self, name="sender-1"):
        """Pids of the jobs that a worker has forked."""
        return children(self.service(name))

    def command(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            code, output, errors = commands.run(arguments, self.environ, Path(folder))
        assert code == 0, output + errors
        return json.loads(output)

    def control(self, path, **body):
        answer = requests.post(f"{self.sandbox}/sandbox/{path}", json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def state(self):
        return requests.get(f"{self.sandbox}/sandbox/state", timeout=5).json()

    def add_phone(self, name="Mairie"):
        settings = (f"login={LOGIN}", f"api_key={KEY}", f"number={NUMBER}")
        phone = self.command("phone", "add", name, "--adapter", "octopush_virtual_number", *settings, "--json")
        self.register(phone["callbacks"])
        return phone

    def register(self, callbacks):
        """Give the pretended Octopush its callback addresses, as a customer does."""
        answer = requests.patch(
            f"{self.sandbox}/v1/public/user/campaign-parameters/edit",
            json={
                "callbacks": {
                    "callback_url_for_deliveries": callbacks["status"],
                    "callback_url_for_inbounds": callbacks["reception"],
                }
            },
            headers={"api-login": LOGIN, "api-key": KEY},
            timeout=5,
        )
        answer.raise_for_status()

    def send(self, *numbers, text="Bonjour"):
        return [
            m["id"] for m in self.command("send", "--phone", "Mairie", "--text", text, "--json", *numbers)["messages"]
        ]

    def message(self, message_id):
        return self.command("message", "show", str(message_id), "--json")

    def accepted(self, number):
        return [sms for sms in self.state()["messages"] if sms["number"] == number and not sms["incoming"]]

    def await_status(self, message_id, *statuses, seconds=40.0):
        return until(
            lambda: (found := self.message(message_id))["status"] in statuses and found,
            seconds,
            f"message {message_id} {' or '.join(statuses)}",
        )
