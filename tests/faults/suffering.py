"""Many rounds of one kind of fault, on an installation of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.faults.installation import Installation
from tests.faults.kinds import KINDS, Kind
from tests.faults.rounds import Rounds, Tally


@contextmanager
def installed(database: str, kind: Kind | None = None) -> Iterator[Installation]:
    """An installation that has what a kind of fault needs; without a kind, what most of them need."""
    needs = {name: getattr(kind, name) for name in ("small_disk", "own_clock", "helpers")} if kind else {}
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as folder,
        Installation(Path(folder), database, **needs) as installation,
    ):
        yield installation


def suffer(name: str, database: str, rounds: int, seed: str, seconds: float | None = None) -> Tally:
    """So many rounds of one kind of fault on an installation of their own."""
    with installed(database, KINDS[name]) as installation:
        return suffer_on(installation, name, rounds, f"{seed} {name} {database}", seconds)


def suffer_on(installation: Installation, name: str, rounds: int, seed: str, seconds: float | None = None) -> Tally:
    """So many rounds of one kind of fault on an installation that may have suffered before."""
    kind, random = KINDS[name], Random(seed)
    lasting = kind.seconds if seconds is None else min(kind.seconds, seconds)
    many = Rounds(installation, random, by_page=kind.by_page, patience=90 + 5 * lasting)
    for _ in range(rounds):
        many.run(lambda: kind.break_something(installation, random, lasting), lambda: kind.afterwards(installation))
    if not many.tally.is_clean:
        log = Path(tempfile.gettempdir()) / f"faults-{abs(hash(seed))}.log"
        log.write_text(installation.tree.log.read_text())
        many.tally.remarks.append(f"log of the processes: {log}")
    return many.tally
