"""What open pages cost and how soon they know: fifty tabs, and replies that appear on another screen."""

from __future__ import annotations

import json
import statistics
import threading
import time

import requests

from bench.idle import processor_seconds
from bench.installation import Installation
from bench.interactive import Person
from bench.results import Results
from tests.factories import LEA, until
from tests.tree import LOGIN, NUMBER

TABS = 50
WATCH_SECONDS = 20.0
REPLIES = 15
LARGEST_SHARE, SOON_SECONDS = 0.05, 1.0


class Tab(threading.Thread):
    """An open page: hears that something came in, and asks for it as the script does."""

    def __init__(self, person: Person) -> None:
        super().__init__(daemon=True)
        self.person, self.seen = person, {}
        self.answer = person.session.get(f"{person.url}/live", stream=True, timeout=120)
        self.answer.raise_for_status()

    def run(self) -> None:
        for line in self.answer.iter_lines():
            if line.startswith(b"data:") and "received" in json.loads(line[5:]).get("topics", {}):
                shown = requests.get(
                    f"{self.person.url}/conversations/?fragment=1", cookies=self.person.session.cookies, timeout=30
                ).text
                self.seen |= {
                    n: time.time() for n in range(REPLIES) if f"Réponse n{n}." in shown and n not in self.seen
                }


def main(results: Results) -> None:
    with Installation() as installation:
        person = Person(installation)
        tabs = [Tab(person) for _ in range(TABS)]
        pids = installation.tree.processes()
        web = [pid for pid in pids if "rsms:web" in _name(pid)]
        before = sum(map(processor_seconds, web))
        time.sleep(WATCH_SECONDS)
        share = (sum(map(processor_seconds, web)) - before) / WATCH_SECONDS
        results.add(
            f"{TABS} open tabs, of one core",
            f"{share * 100:.1f} %",
            target=f"< {LARGEST_SHARE * 100:.0f} %",
            met=share < LARGEST_SHARE,
        )
        alone = [_timed(person) for _ in range(REPLIES)]
        results.add(
            f"a page while {TABS} tabs are open", f"median {statistics.median(alone) * 1000:.0f} ms", "threads are free"
        )
        watcher = tabs[0]
        watcher.start()
        times = []
        for n in range(REPLIES):
            begun = time.time()
            installation.tree.control("replies", login=LOGIN, number=LEA, text=f"Réponse n{n}.", to=NUMBER)
            times.append(until(lambda n=n: watcher.seen.get(n)) - begun)
        results.add(
            f"a reply, from the provider until another screen has it, {TABS} tabs open",
            f"median {statistics.median(times) * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms",
            "without a reload",
            target=f"< {SOON_SECONDS:.0f} s",
            met=max(times) < SOON_SECONDS,
        )
        for tab in tabs[1:]:
            tab.answer.close()


def _timed(person: Person) -> float:
    begun = time.monotonic()
    person.get("/messages/")
    return time.monotonic() - begun


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
