"""What an installation costs while nobody uses it: memory that is really its own, and processor time."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from bench.installation import Installation
from bench.results import Results

SETTLE_SECONDS = 10.0
WATCH_SECONDS = 30.0


def main(results: Results) -> None:
    with Installation(workers=2) as installation:
        time.sleep(SETTLE_SECONDS)
        pids = installation.tree.processes()
        before = sum(map(processor_seconds, pids))
        time.sleep(WATCH_SECONDS)
        share = (sum(map(processor_seconds, pids)) - before) / WATCH_SECONDS
        mebibytes = sum(map(proportional_memory, pids))
    results.add(
        f"idle, {len(pids)} processes with the sandbox and the queue server",
        f"{mebibytes:.0f} MiB (PSS)",
        target="≤ 250 MiB",
        met=mebibytes <= 250,
    )
    results.add("idle, of one core", f"{share * 100:.1f} %", target="≤ 1 %", met=share <= 0.01)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def proportional_memory(pid: int) -> float:
    """MiB: pages that processes share are shared out among them."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024
