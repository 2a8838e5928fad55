"""raspisms demo: the main job, for real, on a throw-away installation."""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..i18n import N_, say

HANDSET = "+33639987001"
NUMBER = "+33755551111"
LOGIN = "demo@example.org"
KEY = "sandbox-key"
TEXT = "Bonjour, la réunion est à 18 h."
ANSWER = "Merci, à tout à l'heure !"
STEP_SECONDS = 30.0


class StepMissed(Exception):
    """A step of the demonstration was not seen in time; str(error) is its name."""


class Transcript:
    """What was seen, step by step."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, str, str]] = []
        self.started = time.monotonic()

    def saw(self, step: str, detail: str) -> None:
        self.rows.append((time.monotonic() - self.started, step, detail))

    def show(self) -> None:
        width = max(len(step) for _, step, _ in self.rows)
        for seconds, step, detail in self.rows:
            click.echo(f"{seconds:6.2f} s  {step:<{width}}  {detail}")


@click.command(help=say(N_("Envoie un SMS et reçoit sa réponse, dans une installation jetable avec le bac à sable.")))
def demo() -> None:
    transcript = Transcript()
    with tempfile.TemporaryDirectory(prefix="raspisms-demo-") as folder:
        try:
            with _installation(Path(folder)) as installation:
                _play(installation, transcript)
        except StepMissed as missed:
            transcript.saw(str(missed), say("n’a pas été vu"))
            transcript.show()
            raise click.exceptions.Exit(1) from missed
    transcript.show()


class Installation:
    """A running `raspisms up --sandbox` on free ports."""

    def __init__(self, folder: Path) -> None:
        self.port, callbacks, self.sandbox_port = _free_ports(3)
        self.log = folder / "log"
        self.environment = {name: v for name, v in os.environ.items() if not name.startswith("RASPISMS_")} | {
            "RASPISMS_INSTANCE": str(folder / "instance"),
            "RASPISMS_PORT": str(self.port),
            "RASPISMS_CALLBACKS_PORT": str(callbacks),
            "RASPISMS_SANDBOX_PORT": str(self.sandbox_port),
            "RASPISMS_WORKERS": "1",
            # The phone of the demonstration is a real Octopush phone, at a pretended Octopush.
            "RASPISMS_OCTOPUSH_URL": f"http://127.0.0.1:{self.sandbox_port}/v1/public",
        }

    def command(self, *arguments: str) -> Any:
        """Run a command of ours beside the running installation; its JSON."""
        finished = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "raspisms", *arguments, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        if finished.returncode:
            raise StepMissed(" ".join(arguments[:2]) + f": {finished.stderr.strip()}")
        return json.loads(finished.stdout)

    def sandbox(self, path: str, body: Any = None, method: str = "POST", **headers: str) -> Any:
        """Ask the sandbox."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.sandbox_port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **headers},
            method="GET" if body is None else method,
        )
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def _installation(folder: Path) -> Iterator[Installation]:
    installation = Installation(folder)
    with installation.log.open("w") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "raspisms", "up", "--sandbox"], env=installation.environment, stdout=log, stderr=log
        )
    try:
        _until(say("démarrage"), lambda: _ready(installation.port))
        yield installation
    finally:
        up.send_signal(signal.SIGINT)
        try:
            up.wait(15)
        except subprocess.TimeoutExpired:
            up.kill()


def _play(installation: Installation, transcript: Transcript) -> None:
    transcript.saw(say("démarrage"), f"http://127.0.0.1:{installation.port}")
    settings = (f"login={LOGIN}", f"api_key={KEY}", f"number={NUMBER}")
    phone = installation.command("phone", "add", "Démonstration", "--adapter", "octopush_virtual_number", *settings)
    transcript.saw(say("téléphone ajouté"), say("%(number)s (identifiants vérifiés)", number=NUMBER))
    urls = {
        "callback_url_for_deliveries": phone["callbacks"]["status"],
        "callback_url_for_inbounds": phone["callbacks"]["reception"],
    }
    path = "/v1/public/user/campaign-parameters/edit"
    installation.sandbox(path, {"callbacks": urls}, "PATCH", **{"api-login": LOGIN, "api-key": KEY})
    transcript.saw(say("callbacks enregistrés"), say("chez le faux Octopush"))
    sent = installation.command("send", "--phone", "Démonstration", "--text", TEXT, HANDSET)["messages"][0]
    transcript.saw(say("SMS écrit"), f"« {TEXT} » → {HANDSET}")
    for status, step in (("sent", say("accepté")), ("delivered", say("délivré"))):
        _until(step, functools.partial(_reached, installation, sent["id"], status))
        transcript.saw(step, f"message {sent['id']}")
    reply = {"login": LOGIN, "number": HANDSET, "to": NUMBER, "text": ANSWER}
    installation.sandbox("/sandbox/replies", reply)
    received = _until(say("réponse reçue"), lambda: _received(installation, sent["id"] + 1))
    transcript.saw(say("réponse reçue"), f"« {received['text']} » ← {received['number']}")


def _until(step: str, look: Callable[[], Any]) -> Any:
    """What `look` finds, as soon as it finds something. Raises StepMissed."""
    ends = time.monotonic() + STEP_SECONDS
    while time.monotonic() < ends:
        if found := look():
            return found
        time.sleep(0.1)
    raise StepMissed(step)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _reached(installation: Installation, message_id: int, status: str) -> bool:
    """Whether the message passed through this status."""
    events = installation.command("message", "show", str(message_id))["events"]
    return any(event["status"] == status for event in events)


def _received(installation: Installation, message_id: int) -> Any:
    try:
        found = installation.command("message", "show", str(message_id))
    except StepMissed:
        return None
    return found if found["direction"] == "in" and found["text"] == ANSWER else None


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
