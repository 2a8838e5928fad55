"""What the parser's calls do: comparing, adding, joining, looping."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import regex
from jinja2 import Undefined

from . import dates, limits, values
from .mistakes import NOT_COMPUTABLE, TOO_LONG, Mistake

# A pattern that backtracks for ever is given up after this long.
MATCH_SECONDS = 0.05
LARGEST = 1e300
PHP_FLAGS = {"i": regex.I, "m": regex.M, "s": regex.S, "x": regex.X, "u": 0}
PHP_DELIMITERS = {"(": ")", "{": "}", "[": "]", "<": ">"}


def compare(sign: str, left: Any, right: Any) -> bool:
    """`==`, `!=`, `<`, `<=`, `>`, `>=`; what cannot be compared is neither less nor greater."""
    if sign in ("==", "!="):
        return values.same(left, right) is (sign == "==")
    found = values.order(left, right)
    if found is None:
        return False
    return {"<": found < 0, "<=": found <= 0, ">": found > 0, ">=": found >= 0}[sign]


def contains(container: Any, wanted: Any) -> bool:
    """`wanted in container`: an item of a list, a key of a hash, a part of a text."""
    container = values.plain(container)
    if isinstance(container, str):
        return str(values.plain(wanted) or "") in container
    if isinstance(container, Mapping):
        return wanted in container
    if not isinstance(container, (list, tuple, range)):
        return False
    budget = limits.budget()
    for item in container:  # each comparison is a step, also of a range that costs nothing to write
        budget.step()
        if values.same(item, wanted):
            return True
    return False


def matches(text: Any, pattern: Any) -> bool:
    """Whether `text` has what the regular expression describes; `pattern` as PHP writes it, or bare."""
    try:
        found = _compiled(str(pattern)).search(shown(text)[: limits.CHARACTERS], timeout=MATCH_SECONDS)
    except regex.error as error:
        raise Mistake(NOT_COMPUTABLE, what=str(pattern)) from error
    except TimeoutError as error:
        raise Mistake(TOO_LONG) from error
    return found is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> regex.Pattern[str]:
    flags = 0
    first = pattern[:1]
    end = pattern.rfind(PHP_DELIMITERS.get(first, first))
    if first and not first.isalnum() and first not in "\\^" and end > 0 and set(pattern[end + 1 :]) <= set(PHP_FLAGS):
        for letter in pattern[end + 1 :]:
            flags |= PHP_FLAGS[letter]
        pattern = pattern[1:end]
    return regex.compile(pattern, flags)


def starts(text: Any, beginning: Any) -> bool:
    """`text starts with beginning`."""
    return shown(text).startswith(shown(beginning))


def ends(text: Any, ending: Any) -> bool:
    """`text ends with ending`."""
    return shown(text).endswith(shown(ending))


def known(value: Any) -> bool:
    """Whether there is a value: `exists(x)`, `x ?? y`."""
    return values.plain(value) is not None


def coalesce(value: Any, other: Any) -> Any:
    """`value ?? other`."""
    return value if known(value) else other


def elvis(value: Any, other: Any) -> Any:
    """`value ?: other`."""
    return value if value else other


def numbers(first: Any, last: Any) -> list[Any]:
    """`1..10`, both included, downwards too; letters as well."""
    if isinstance(first, str) and isinstance(last, str) and len(first) == len(last) == 1 and not first.isdigit():
        start, stop = ord(first), ord(last)
        step = 1 if stop >= start else -1
        return [chr(code) for code in _span(start, stop, step)]
    start, stop = _integer(first), _integer(last)
    return list(_span(start, stop, 1 if stop >= start else -1))


def _span(start: int, stop: int, step: int) -> range:
    if abs(stop - start) > limits.ITEMS * abs(step):
        raise Mistake(TOO_LONG)
    return range(start, stop + (1 if step > 0 else -1), step)


def number_range(first: Any, last: Any, step: Any = 1) -> list[Any]:
    """`range(first, last, step)`, both ends included as in Twig; letters as well."""
    if isinstance(first, str) and len(first) == 1 and not first.isdigit():
        return numbers(first, last)
    start, stop = _integer(first), _integer(last)
    size = max(1, abs(_integer(step)))
    return list(_span(start, stop, size if stop >= start else -size))


def _integer(value: Any) -> int:
    found = values.number(values.plain(value))
    if found is None or not abs(found) < limits.DIGITS:
        raise Mistake(NOT_COMPUTABLE, what=shown(value)[:40])
    return int(found)


def shown(value: Any) -> str:
    """The value as it is printed in a text."""
    if value is None or value is False or isinstance(value, Undefined):
        return ""
    if value is True:
        return "1"
    if isinstance(value, float) and value.is_integer() and abs(value) < limits.DIGITS:
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.14G}"  # as PHP: 0.1 * 3 is 0.3
    if isinstance(value, datetime):
        return dates.written(value, "d/m/Y H:i" if value.hour or value.minute else "d/m/Y")
    if isinstance(value, (list, tuple)):
        limits.weigh(value)
        return ", ".join(shown(item) for item in value)
    if isinstance(value, (Mapping, timedelta)):
        return ""
    return str(value)


def joined(*pieces: Any) -> str:
    """`a ~ b`."""
    text: str = limits.bounded("".join(shown(piece) for piece in pieces))
    return text


def cut(value: Any, start: Any, length: Any = None) -> Any:
    """`length` items or characters from `start` on; negative ones count from the end, as in PHP."""
    whole = value if isinstance(value, (list, tuple)) else shown(value)
    first = _integer(start)
    first = max(0, len(whole) + first) if first < 0 else first
    if values.plain(length) is None:
        return whole[first:]
    count = _integer(length)
    return whole[first : first + count] if count >= 0 else whole[first : len(whole) + count]


def steps(over: Any, width: int) -> Iterator[Any]:
    """What a loop goes over, each step counted: the values of a hash, or its pairs for two names."""
    over = values.plain(over)
    if isinstance(over, Mapping):
        items: Any = over.items() if width == 2 else over.values()
    elif isinstance(over, (list, tuple, range)):
        items = enumerate(over) if width == 2 else over
    elif over is None:
        items = ()
    else:
        raise Mistake(NOT_COMPUTABLE, what=shown(over)[:40])
    budget = limits.budget()
    for item in items:
        budget.step()
        yield item


def assign(name: str, value: Any) -> str:
    """`{% set name = value %}`."""
    limits.budget().step()
    limits.budget().variables[name] = limits.bounded(value)
    return ""


def recall(name: str) -> Any:
    """The value of a variable; empty before it is set."""
    return limits.budget().variables.get(name, "")


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": math.fmod,
    "**": operator.pow,
}


def calculate(sign: str, left: Any, right: Any) -> Any:
    """A sum on numbers, or on texts that read as numbers; nothing counts as 0. Raises Mistake."""
    first, second = _summand(left), _summand(right)
    try:
        if sign == "%":
            return int(math.fmod(int(first), int(second)))
        if sign == "**" and (abs(second) > 64 or abs(first) > 1e6):
            raise OverflowError
        result = ARITHMETIC[sign](first, second)
        if isinstance(result, complex) or abs(result) > LARGEST:
            raise OverflowError
    except (ArithmeticError, ValueError) as error:
        raise Mistake(NOT_COMPUTABLE, what=f"{shown(left)} {sign} {shown(right)}"[:60]) from error
    if isinstance(result, float) and result.is_integer():
        return int(result)
    return result


def _summand(value: Any) -> int | float:
    plain = values.plain(value)
    if plain is None or plain == "":
        return 0
    found = values.number(plain)
    if found is None:
        raise Mistake(NOT_COMPUTABLE, what=shown(value)[:40])
    return found


CALLS: dict[str, Callable[..., Any]] = {
    "compare": compare,
    "contains": contains,
    "matches": matches,
    "starts": starts,
    "ends": ends,
    "known": known,
    "coalesce": coalesce,
    "elvis": elvis,
    "numbers": numbers,
    "joined": joined,
    "cut": cut,
    "steps": steps,
    "assign": assign,
    "recall": recall,
}
"""By the names that the parser gives them."""
