"""Campaigns: accepting a long list, and how near sending comes to what one request at a time allows."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.factories import until
from tests.tree import LOGIN, Tree

ACCEPTED = 100_000
SENT = 20_000
GROUP = 500
LATENCIES = (0.0, 0.05, 0.15)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="raspisms-bench-") as folder:
        tree = Tree(Path(folder), RASPISMS_WORKERS="1")
        tree.start()
        try:
            tree.add_phone()
            tree.control("switches", reports=False)
            tree.control("credit", login=LOGIN, credit=1_000_000)
            accept(tree, Path(folder) / "list.csv")
            for latency in LATENCIES:
                send(tree, Path(folder) / "list.csv", latency)
        finally:
            tree.stop()


def write_list(path: Path, count: int) -> None:
    path.write_text("numero\n" + "\n".join(f"061{n:07d}" for n in range(count)), encoding="utf-8")


def accept(tree: Tree, path: Path) -> None:
    """One call for a long list: rows a second, and the memory of the process that accepts it."""
    write_list(path, ACCEPTED)
    command = [sys.executable, "-m", "raspisms", "send", "--phone", "Mairie", "--text", "Bonjour", "--json"]
    begun = time.monotonic()
    done = subprocess.run(
        [*command, "--to-file", str(path)], env=tree.environ, capture_output=True, text=True, check=True
    )
    seconds = time.monotonic() - begun
    mebibytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rate = ACCEPTED / seconds
    print(f"accepting {ACCEPTED} recipients: {seconds:.1f} s, {rate:.0f} rows/s, {mebibytes:.0f} MiB at most")
    tree.command("campaign", "cancel", str(json.loads(done.stdout)["campaign"]["id"]), "--json")
    until(lambda: not tree.horses(), what="an idle worker")


def send(tree: Tree, path: Path, latency: float) -> None:
    """Messages a second from the first request to the last answer, and their share of the limit."""
    tree.control("switches", latency=latency)
    write_list(path, SENT)
    before = len(tree.state()["requests"])
    text = ("--text", f"Bonjour {latency}")
    report = tree.command("send", "--phone", "Mairie", *text, "--to-file", str(path), "--json")
    campaign = str(report["campaign"]["id"])
    until(lambda: tree.command("campaign", "show", campaign, "--json")["state"] == "done", 300)
    times = [request["at"] for request in tree.state()["requests"][before:]]
    seconds = times[-1] - times[0] + latency
    limit = SENT / GROUP * latency
    share = f", {limit / seconds:.2f} of the limit (one request of {GROUP} at a time)" if limit else ""
    print(f"campaign of {SENT} at {latency * 1000:.0f} ms: {SENT / seconds:.0f} messages/s{share}")
