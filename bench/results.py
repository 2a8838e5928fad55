"""What was measured: printed as it comes, and written to docs/benchmark.md when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field


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

    def table(self) -> str:
        """All rows as Markdown."""
        lines = ["| what | measured | compared | asked | |", "| --- | --- | --- | --- | --- |"]
        lines += [f"| {row.what} | {row.found} | {row.beside} | {row.target} | {_mark(row.met)} |" for row in self.rows]
        return "\n".join(lines)


def _mark(met: bool | None) -> str:
    return {None: "", True: "met", False: "**missed**"}[met]
