"""What rules and texts work on: the data of a contact, as strings that know what they mean."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from jinja2 import ChainableUndefined, Undefined

from ..sms.folding import fold
from . import dates, limits

# What people write for "no"; everything else that is not empty means "yes".
NO = frozenset({"", "0", "false", "faux", "non", "no", "off"})
NUMERIC = re.compile(r"\s*[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)\s*")


@functools.lru_cache(maxsize=4096)
def folded_key(key: str) -> str:
    """A key as keys are compared: without case and accents."""
    return fold(key)


@functools.lru_cache(maxsize=256)
def _spellings(keys: tuple[str, ...]) -> Mapping[str, str]:
    """How keys are spelled, by what they are compared as; most people of a list have the same keys."""
    return {folded_key(key): key for key in reversed(keys)}


class Field(str):
    """One datum of a contact: kept as it was written, a yes or no when asked for one."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self.strip().lower() not in NO


class Missing(ChainableUndefined):
    """A datum that this contact has not: empty in a text, null in a rule."""

    def __str__(self) -> str:
        return ""


class Fields(Mapping[str, Any]):
    """`contact` and `contact_metas`: keys without case or accents; a missing one is null, and is remembered."""

    def __init__(self, data: Mapping[str, Any], missed: set[str] | None = None) -> None:
        self._data = data
        self._missed = missed

    def __getitem__(self, key: str) -> Any:
        try:
            value = self._data[key]
        except KeyError:
            spelled = self._spelled(key)
            if spelled is None:
                if self._missed is not None:
                    self._missed.add(key)
                raise
            value = self._data[spelled]
        return Field(value) if type(value) is str else value

    def _spelled(self, key: str) -> str | None:
        """How this person's data spell the key: "Ville" is found by `contact.ville`."""
        return _spellings(tuple(self._data)).get(folded_key(key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)


def plain(value: Any) -> Any:
    """None for whatever is missing."""
    return None if isinstance(value, Undefined) else value


def number(value: Any) -> int | float | None:
    """The number that a value is or reads as; None when it is none. Empty and missing count as 0 in a sum."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str) and NUMERIC.fullmatch(value):
        text = value.strip().replace(",", ".")
        try:
            return int(text) if "." not in text else float(text)
        except ValueError:  # longer than Python reads
            return None
    return None


def same(left: Any, right: Any) -> bool:
    """Equality as people mean it: 1 and "1" are the same, and so are a date and its text."""
    left, right = plain(left), plain(right)
    if left is None or right is None:
        return _is_nothing(left) and _is_nothing(right)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        limits.weigh(left)
        limits.weigh(right)
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        limits.weigh(left)  # compared in C, where nothing interrupts: only what is small enough
        limits.weigh(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return _truth(left) == _truth(right)
    pair = _alike(left, right)
    return bool(pair[0] == pair[1]) if pair else bool(left == right)


def order(left: Any, right: Any) -> int | None:
    """Below, at or above zero, as `left` is less, equal or greater; None when they cannot be compared."""
    left, right = plain(left), plain(right)
    if left is None or right is None:
        return None
    pair = _alike(left, right) or (left, right)
    if isinstance(pair[0], (list, tuple)):
        return None
    try:
        return int(pair[0] > pair[1]) - int(pair[0] < pair[1])
    except TypeError:
        return None


def _is_nothing(value: Any) -> bool:
    """Null, and what PHP takes for the same: nothing, no, zero."""
    return value is None or (isinstance(value, (str, int, float)) and value in ("", 0))


def _truth(value: Any) -> bool:
    return bool(Field(value)) if isinstance(value, str) else bool(value)


def _alike(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Both as numbers or both as dates, when either is one and the other reads as one."""
    if isinstance(left, (int, float)) or isinstance(right, (int, float)):
        numbers = number(left), number(right)
        return None if None in numbers else numbers
    if isinstance(left, date) or isinstance(right, date):
        moments = _moment(left), _moment(right)
        return None if None in moments else moments
    if isinstance(left, str) and isinstance(right, str):  # as numbers when both are
        numbers = number(left), number(right)
        return None if None in numbers else numbers
    return None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        return dates.read(value)
    return value if isinstance(value, datetime) else None
