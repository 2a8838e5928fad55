"""What was measured: printed as it comes, and written to docs/benchmark.md when asked for."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bench.chart import chart_of

DOCS = Path(__file__).resolve().parent.parent / "docs"
# What a run replaces in docs/benchmark.md.
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass
class Row:
    """One line of the table."""

    what: str
    found: str
    beside: str
    target: str
    met: bool | None


@dataclass
class Results:
    """Every row of one run, and the numbers that the chart is drawn from."""

    rows: list[Row] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)

    def add(
        self, what: str, found: str, beside: str = "", *, target: str = "", met: bool | None = None, **numbers: float
    ) -> None:
        """One more row: what was measured, what was found, what it compares to, and what was asked for."""
        self.rows.append(Row(what, found, beside, target, met))
        self.numbers |= numbers
        print("  ".join(filter(None, [f"{what}:", found, beside, target and f"(asked: {target})", _mark(met)])))

    def unmeasured(self, what: str, why: str) -> None:
        """Say what could not be measured on this machine; the rest goes on."""
        self.add(what, "not measured", why, met=False)

    def write(self) -> None:
        """Put the table and its chart into docs/."""
        chart = chart_of(self.numbers)
        (DOCS / "benchmark.svg").write_text(chart, encoding="utf-8")
        page = (DOCS / "benchmark.md").read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        table = f"{BEGIN}\n\nMeasured on {date.today():%Y-%m-%d}, {machine()}.\n\n{self.table()}\n\n{END}"
        (DOCS / "benchmark.md").write_text(before + table + after, encoding="utf-8")

    def table(self) -> str:
        """All rows as Markdown."""
        lines = ["| what | measured | compared | asked | |", "| --- | --- | --- | --- | --- |"]
        lines += [f"| {row.what} | {row.found} | {row.beside} | {row.target} | {_mark(row.met)} |" for row in self.rows]
        return "\n".join(lines)


def machine() -> str:
    """The machine, in the words that matter for these numbers."""
    return f"{os.cpu_count()} shared cores, {platform.machine()}, Python {platform.python_version()}, SQLite"


def _mark(met: bool | None) -> str:
    return {None: "", True: "met", False: "**missed**"}[met]
