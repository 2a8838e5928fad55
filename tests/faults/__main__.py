"""python -m tests.faults: every kind of fault, on both databases, and the table of what came of it."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.databases import KINDS as DATABASES
from tests.faults.kinds import KINDS, kinds_on
from tests.faults.rounds import Tally
from tests.faults.suffering import suffer

# What lasts long mostly waits: its rounds are shared out among several installations.
SHARE = 10
COLUMNS = (
    "rounds",
    "messages",
    "lost",
    "doubled",
    "unreported",
    "replies",
    "replies_lost",
    "replies_doubled",
    "miscounted",
)


def main() -> int:
    options = _options()
    tallies = {
        (name, database): Tally() for database in options.database for name in options.kind or kinds_on(database)
    }
    begun = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context, max_tasks_per_child=1) as pool:
        tasks = {}
        for name, database in tallies:
            left, share = options.rounds, SHARE if KINDS[name].seconds > 5 else options.rounds
            while left > 0:
                part = min(left, share)
                seed = f"{options.seed}-{left}"
                tasks[pool.submit(suffer, name, database, part, seed, options.seconds)] = (name, database)
                left -= part
        for done in as_completed(tasks):
            name, database = tasks[done]
            try:
                tally = done.result()
            except Exception as error:
                tally = Tally(lost=1, remarks=[f"the harness failed: {error!r}"])
            tallies[name, database].add(tally)
            print(f"{time.monotonic() - begun:6.0f} s  {database}  {name}: {tally}", file=sys.stderr, flush=True)
    _print(tallies, options.seed)
    return 0 if all(tally.is_clean for tally in tallies.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="rounds of each kind")
    parser.add_argument("--seconds", type=float, help="shorten every fault that lasts to this")
    parser.add_argument("--seed", default="2026", help="the same seed makes the same instants and choices")
    parser.add_argument("--processes", type=int, default=4, help="installations at the same time")
    parser.add_argument("--database", action="append", choices=list(DATABASES), help="which; both when not given")
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="which; all when not given")
    options = parser.parse_args()
    options.database = options.database or list(DATABASES)
    return options


def _print(tallies: dict[tuple[str, str], Tally], seed: str) -> None:
    print(f"\nSeed {seed}. Everything right of the messages and of the replies must be zero.\n")
    print("| database | fault | " + " | ".join(name.replace("_", " ") for name in COLUMNS) + " | slowest (s) |")
    print("| --- | --- |" + " ---: |" * (len(COLUMNS) + 1))
    total = Tally()
    for (name, database), tally in tallies.items():
        total.add(tally)
        _row(database, name, tally)
    _row("", "**all**", total)
    for (name, database), tally in tallies.items():
        for remark in tally.remarks:
            print(f"\n{database}, {name}: {remark}")


def _row(database: str, name: str, tally: Tally) -> None:
    cells = [str(getattr(tally, column)) for column in COLUMNS]
    print(f"| {database} | {name} | " + " | ".join(cells) + f" | {tally.slowest:.0f} |")


if __name__ == "__main__":
    sys.exit(main())
