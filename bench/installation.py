"""The installation that is measured: `raspisms up --sandbox`, with one phone and as much credit as it takes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import create_engine

from tests.databases import url_of
from tests.factories import until
from tests.tree import LOGIN, Tree

GROUP = 500


class Installation:
    """Use it in a `with`. Looking at it costs little: it reads the database, it starts no command."""

    def __init__(self, *, workers: int = 1) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="raspisms-bench-")
        self.folder = Path(self._folder.name)
        self.tree = Tree(self.folder, RASPISMS_WORKERS=str(workers))

    def __enter__(self) -> Installation:
        try:
            return self._begin()
        except BaseException:
            self.tree.stop()
            raise

    def _begin(self) -> Installation:
        begun = time.monotonic()
        self.tree.start()
        self.started_in = time.monotonic() - begun
        phone = self.tree.add_phone()
        self.status_url = phone["callbacks"]["status"]
        self.switch(reports=False)
        self.leave_at_once()
        self.tree.control("credit", login=LOGIN, credit=100_000_000)
        # Patient: it takes no turn among the application's writers, see raspisms/storage/writers.py.
        self._engine = create_engine(url_of(self.tree.settings()), connect_args={"timeout": 60})
        return self

    def __exit__(self, *_error: object) -> None:
        self._engine.dispose()
        self.tree.stop()
        self._folder.cleanup()

    def leave_at_once(self) -> None:
        """Nobody calls anything back here: what is measured begins with the button, not with a choice of the team."""
        engine = create_engine(url_of(self.tree.settings()))
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO preferences (name, value) VALUES ('undo_single', '0')")
        engine.dispose()

    def switch(self, **switches: object) -> None:
        """How the sandbox behaves from now on."""
        self.tree.control("switches", **switches)

    def ask(self, statement: str) -> list[tuple]:
        """Rows, straight from the database."""
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def tell(self, *statements: str) -> None:
        """Change the database behind the application's back."""
        with self._engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def count(self, condition: str) -> int:
        return self.ask(f"SELECT count(*) FROM messages WHERE {condition}")[0][0]

    def accept(self, count: int, text: str, *, first: int = 0) -> int:
        """Accept a campaign by the command; its id."""
        report = json.loads(self.send_file(count, text, first=first).stdout)
        return report["campaign"]["id"]

    def accept_paused(self, count: int, text: str, *, first: int = 0) -> int:
        """Accept a campaign of which nothing has left when this returns; its id."""
        self.tell("UPDATE phones SET status = 'disabled' WHERE name = 'Mairie'")
        campaign = self.accept(count, text, first=first)
        self.tree.command("campaign", "pause", str(campaign), "--json")
        self.tell("UPDATE phones SET status = 'available' WHERE name = 'Mairie'")
        return campaign

    def cancel(self, accepted: subprocess.CompletedProcess) -> None:
        """Call a campaign back, given what accepting it printed, and wait until its last request has landed."""
        self.tree.command("campaign", "cancel", str(json.loads(accepted.stdout)["campaign"]["id"]), "--json")
        until(lambda: not self.ask("SELECT id FROM submissions WHERE state = 'open'"), what="the last answer")

    def send_file(self, count: int, text: str, *, first: int = 0) -> subprocess.CompletedProcess:
        path = self.folder / "list.csv"
        path.write_text("numero\n" + "\n".join(f"061{n:07d}" for n in range(first, first + count)), encoding="utf-8")
        command = [sys.executable, "-m", "raspisms", "send", "--phone", "Mairie", "--text", text, "--json"]
        return subprocess.run(
            [*command, "--to-file", str(path)], env=self.tree.environ, capture_output=True, text=True, check=True
        )

    def await_campaign(self, campaign: int, seconds: float = 600) -> None:
        until(lambda: self.ask(f"SELECT state FROM campaigns WHERE id = {campaign}") == [("done",)], seconds, "its end")

    def tickets(self, text: str) -> list[tuple[str, str]]:
        """Ticket and number of every message with this text."""
        return self.ask(
            "SELECT submissions.provider_id, messages.number FROM messages JOIN submissions"
            f" ON submissions.id = messages.submission_id WHERE messages.text = '{text}' ORDER BY messages.id"
        )

    def requests(self) -> list[dict]:
        """Every request that the sandbox saw."""
        return self.tree.state()["requests"]
