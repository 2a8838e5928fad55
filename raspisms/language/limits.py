"""How long and how big the computing of one text or rule may become."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from .mistakes import TOO_BIG, TOO_LONG, Mistake

STEPS = 20_000
SECONDS = 1.0
# Of a string or a list on the way, and of the text in the end: more than eight parts ever need.
CHARACTERS = 20_000
ITEMS = 20_000
DIGITS = 1e15
DEEPEST = 5


@dataclass
class Budget:
    """What one computation has left, and the variables that it set."""

    steps: int = STEPS
    ends: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    variables: dict[str, Any] = field(default_factory=dict)

    def step(self) -> None:
        """Count one turn of a loop. Raises Mistake when there were too many."""
        self.steps -= 1
        if self.steps < 0 or (not self.steps % 64 and time.monotonic() > self.ends):
            raise Mistake(TOO_LONG)


_BUDGET: ContextVar[Budget] = ContextVar("budget")


def begin() -> Budget:
    """A new budget, for what is computed next in this thread."""
    budget = Budget()
    _BUDGET.set(budget)
    return budget


def budget() -> Budget:
    """The budget of what is being computed."""
    return _BUDGET.get(None) or begin()


def weigh(value: Any, depth: int = 0) -> int:
    """The characters in a list or a hash, however deep; each item counts as a step. Raises Mistake when too big.

    A list may hold itself many times over by way of others: only going through it tells its size.
    """
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, (list, tuple, Mapping)):
        return 8
    if depth > DEEPEST:
        raise Mistake(TOO_BIG)
    total = 0
    for item in value.values() if isinstance(value, Mapping) else value:
        budget().step()
        total += weigh(item, depth + 1)
        if total > CHARACTERS:
            raise Mistake(TOO_BIG)
    return total


def bounded(value: Any) -> Any:
    """The value, unless it grew too big. Raises Mistake."""
    if isinstance(value, str) and len(value) > CHARACTERS:
        raise Mistake(TOO_BIG)
    if isinstance(value, (list, tuple, dict)) and len(value) > ITEMS:
        raise Mistake(TOO_LONG)
    return value
