"""Many rounds of one kind of fault, on an installation of their own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.installation import Installation
from tests.faults.kinds import KINDS, Kind
from tests.faults.rounds import Rounds, Tally


def _needs(kind: Kind) -> dict[str, Any]:
    return {"small_disk": kind.small_disk, "own_clock": kind.own_clock, "helpers": kind.helpers}


def suffer(name: str, database: str, rounds: int, seed: str, seconds: float | None = None) -> Tally:
    """So many rounds of one kind of fault on an installation of their own."""
    kind = KINDS[name]
    random = Random(f"{seed} {name} {database}")
    lasting = kind.seconds if seconds is None else min(kind.seconds, seconds)
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as folder,
        Installation(Path(folder), database, **_needs(kind)) as installation,
    ):
        many = Rounds(installation, random, by_page=kind.by_page, patience=90 + 5 * lasting)
        for _ in range(rounds):
            many.run(lambda: kind.break_something(installation, random, lasting), lambda: kind.afterwards(installation))
        if not many.tally.is_clean:
            log = Path(tempfile.gettempdir()) / f"faults-{abs(hash((name, database, seed)))}.log"
            log.write_text(installation.tree.log.read_text())
            many.tally.remarks.append(f"log of the processes: {log}")
        return many.tally
