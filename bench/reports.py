"""Reports: how many a second the running application stores, next to a bare Flask route with one commit."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from bench import load
from bench.installation import GROUP, Installation
from bench.results import Results
from tests.factories import until
from tests.tree import NUMBER, free_ports

REPORTED = 3_000
BUSY_LATENCY = 0.15
# The campaign beside which reports come lasts four times as long as they took alone on this machine.
SPARE, LEAST, MOST = 4, 50_000, 1_000_000


def main(results: Results) -> None:
    floor = bare()
    with Installation() as installation:
        quiet, reports_applied = alone(installation)
        burst = replies(installation)
        busy = during_a_campaign(installation, results, quiet.seconds)
    results.add("reports a second, bare Flask + one SQLite commit", f"{floor.rate:.0f}/s", floor=floor.rate)
    results.add(
        "reports a second into the running application",
        f"{quiet.rate:.0f}/s",
        f"{quiet.rate / floor.rate:.2f} of the bare route",
        target="≥ 0.60",
        met=quiet.rate / floor.rate >= 0.6,
    )
    results.add(
        "a report is answered, 8 connections",
        f"median {quiet.median * 1000:.0f} ms",
        f"p99 {quiet.p99 * 1000:.0f} ms, worst {quiet.worst * 1000:.0f} ms",
        target="p99 < 250 ms",
        met=quiet.p99 < 0.25,
    )
    results.add(
        "replies a second, applied, a burst after a campaign",
        f"{burst.rate:.0f}/s",
        f"{burst.rate / reports_applied:.2f} of reports, applied ({reports_applied:.0f}/s)",
        target="≥ 0.70",
        met=burst.rate / reports_applied >= 0.7,
    )
    results.add(
        "… another write meanwhile (a real one, through the pages)",
        f"median {burst.median * 1000:.0f} ms",
        f"worst {burst.worst * 1000:.0f} ms, {burst.refused} refused",
        target="worst < 500 ms, none refused",
        met=burst.worst < 0.5 and not burst.refused,
    )
    if busy is not None:
        results.add(
            "the same while a campaign runs",
            f"{busy.rate:.0f}/s, median {busy.median * 1000:.0f} ms",
            f"p99 {busy.p99 * 1000:.0f} ms, worst {busy.worst * 1000:.0f} ms",
            target="worst < 1 s",
            met=busy.worst < 1,
        )


def bare() -> load.Load:
    """The floor, by the same load."""
    with tempfile.TemporaryDirectory(prefix="raspisms-bench-") as folder:
        [port] = free_ports(1)
        server = subprocess.Popen([sys.executable, "-m", "bench.floor", str(port), str(Path(folder) / "floor.db")])
        try:
            until(lambda: _listens(port), what="the bare server")
            bodies = [body("sms_0123456789abcdef", f"+3361{n:07d}", "DELIVERED") for n in range(2 * REPORTED)]
            load.post(f"http://127.0.0.1:{port}/", bodies[:200])
            return load.post(f"http://127.0.0.1:{port}/", bodies)
        finally:
            server.terminate()
            server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def alone(installation: Installation) -> tuple[load.Load, float]:
    """ACK and DELIVERED for a campaign that has left, and nothing else to do; and how many a second were applied."""
    bodies = sent_reports(installation, REPORTED)
    begun = time.monotonic()
    found = load.post(installation.status_url, bodies)
    until(lambda: installation.count("status = 'delivered'") >= REPORTED, 300, "applied reports")
    return found, len(bodies) / (time.monotonic() - begun)


@dataclass
class Burst:
    """What came of many replies at once; times in seconds."""

    rate: float
    waits: list[float]
    refused: int

    @property
    def median(self) -> float:
        return statistics.median(self.waits)

    @property
    def worst(self) -> float:
        return max(self.waits)


def replies(installation: Installation) -> Burst:
    """Everybody whom the campaign reached answers, most in a callback of their own, some in one of a thousand."""
    one_by_one = [reply(n) for n in range(REPORTED)]
    together = [
        json.dumps([json.loads(reply(n)) for n in range(first, first + 1000)]).encode()
        for first in (10**6, 10**6 + 1000)
    ]
    waits: list[float] = []
    refused: list[int] = []
    done = threading.Event()

    def write() -> None:
        while not done.wait(0.02):
            begun = time.monotonic()
            answer = requests.get(f"{installation.tree.url}/health/ready", timeout=60)
            waits.append(time.monotonic() - begun)
            if answer.json()["checks"]["database"]["status"] != "pass":
                refused.append(answer.status_code)

    writer = threading.Thread(target=write)
    writer.start()
    begun = time.monotonic()
    url = installation.status_url.replace("/status", "/reception")
    load.post(url, [*one_by_one[:1500], *together, *one_by_one[1500:]])
    until(lambda: installation.count("direction = 'in'") >= REPORTED + 2000, 300, "applied replies")
    seconds = time.monotonic() - begun
    done.set()
    writer.join()
    return Burst((REPORTED + 2000) / seconds, waits, len(refused))


def reply(n: int) -> bytes:
    """A reply as Octopush sends it (docs/providers/octopush.md §8)."""
    said = {"number": f"+3361{n:07d}", "text": f"Oui merci, j’en serai {n}", "sim_card_number": NUMBER}
    return json.dumps(said | {"reception_date": "2026-11-23 14:05:10", "message_id": ""}).encode()


def during_a_campaign(installation: Installation, results: Results, seconds: float) -> load.Load | None:
    """The same, while a long campaign leaves; alone it took so many seconds."""
    size = round(min(MOST, max(LEAST, seconds * SPARE * GROUP / BUSY_LATENCY)), -3)
    bodies = sent_reports(installation, REPORTED, first=1_000_000)
    installation.switch(latency=BUSY_LATENCY)
    campaign = installation.accept(int(size), "Pendant ce temps", first=2_000_000)
    found: list[load.Load] = []
    loading = threading.Thread(target=lambda: found.append(load.post(installation.status_url, bodies)))
    loading.start()
    loading.join()
    if not installation.count(f"campaign_id = {campaign} AND status = 'queued'"):
        results.unmeasured("reports while a campaign runs", "it had ended before them")
        return None
    installation.tree.command("campaign", "cancel", str(campaign), "--json")
    return found[0]


def sent_reports(installation: Installation, count: int, first: int = 0) -> list[bytes]:
    """Send a campaign, and give what the provider would report of it."""
    installation.switch(latency=0)
    installation.await_campaign(installation.accept(count, f"Bonjour {first}", first=first))
    tickets = installation.tickets(f"Bonjour {first}")
    assert len(tickets) == count
    return [body(ticket, number, status) for status in ("ACK", "DELIVERED") for ticket, number in tickets]


def body(ticket: str, number: str, status: str) -> bytes:
    """A report as Octopush sends it (docs/providers/octopush.md §7)."""
    return json.dumps(
        {
            "channel": "sms",
            "list_name": "",
            "unit_price": 0.045,
            "meta_data": {},
            "message_id": ticket,
            "number": number,
            "status": status,
            "delivery_date": "2026-11-23 14:05:10",
        }
    ).encode()
