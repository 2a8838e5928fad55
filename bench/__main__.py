"""python -m bench [part…] [--write]: every measurement in one run, each beside what it compares to."""

from __future__ import annotations

import argparse
import traceback

from bench import campaigns, growth, idle, interactive, live, locks, pages, people, reports
from bench.results import Results

PARTS = {
    "campaigns": campaigns.main,
    "reports": reports.main,
    "interactive": interactive.main,
    "idle": idle.main,
    "live": live.main,
    "pages": pages.main,
    "people": people.main,
    "locks": locks.main,
    "growth": growth.main,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--write", action="store_true", help="write docs/benchmark.md and its chart")
    options = parser.parse_args()
    results = Results()
    for name in options.parts or PARTS:
        try:
            PARTS[name](results)
        except Exception as error:  # whatever a slow machine makes of one part, the others are measured
            traceback.print_exc()
            results.unmeasured(name, f"{type(error).__name__}: {error}"[:200])
    print("\n" + results.table())
    if options.write:
        results.write()


if __name__ == "__main__":
    main()
