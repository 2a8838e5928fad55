"""The functions and filters of rules and texts: Symfony's and Twig's names, as RaspiSMS offered them."""

from __future__ import annotations

import html
import json
import random as chance
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_currency, format_decimal, get_currency_name, get_currency_symbol
from jinja2 import Undefined

from . import dates, limits, operators, values
from .mistakes import NOT_COMPUTABLE, Mistake
from .operators import shown

PRINTF = re.compile(r"%(?:(?P<sign>[+-]?)(?P<pad>0?)(?P<width>\d{0,3})(?:\.(?P<digits>\d{1,2}))?(?P<kind>[sdf])|%)")


# -- functions ------------------------------------------------------------------------------------------


def exists(value: Any) -> bool:
    """Whether the contact has this datum."""
    return operators.known(value)


def date(value: Any = "now", *_zone: Any) -> datetime | None:
    """The date that a text is, day before month; null when it is none."""
    plain = values.plain(value)
    if isinstance(plain, datetime):
        return plain
    if isinstance(plain, (int, float)) and not isinstance(plain, bool) and abs(plain) < 4e9:
        return datetime.fromtimestamp(plain)
    return dates.read(plain) if isinstance(plain, str) and plain else None


def date_from_format(pattern: Any, value: Any) -> datetime | None:
    """The date in a text that is written as PHP's `pattern` says."""
    return dates.read_as(shown(pattern), shown(value))


def is_birthday(value: Any) -> bool:
    """Whether today is the anniversary of a date."""
    plain = values.plain(value)
    if isinstance(plain, str) and (day := dates.day_of_birth(plain)):  # also the short forms that people write
        plain = day
    born = date(plain)
    return born is not None and dates.is_birthday(born)


def intval(value: Any) -> int:
    """The whole number that a text begins with; 0 without one."""
    plain = values.plain(value)
    if isinstance(plain, (int, float)):
        return int(plain)
    found = re.match(r"\s*([+-]?\d{1,15})", shown(plain))
    return int(found[1]) if found else 0


def boolval(value: Any) -> bool:
    """Yes or no: "non", "faux", "false", "0" and nothing are no."""
    plain = values.plain(value)
    return bool(values.Field(plain)) if isinstance(plain, str) else bool(plain)


def lower(value: Any) -> str:
    """In small letters."""
    return shown(value).lower()


def upper(value: Any) -> str:
    """In capitals."""
    return shown(value).upper()


def substr(value: Any, start: Any, length: Any = None) -> str:
    """`length` characters from `start` on; negative ones count from the end."""
    return str(operators.cut(shown(value), start, length))


def length(value: Any) -> int:
    """Characters of a text, items of a list."""
    plain = values.plain(value)
    return len(plain) if isinstance(plain, (list, tuple, Mapping, range)) else len(shown(plain))


def absolute(value: Any) -> Any:
    """The number without its sign; 0 for what is no number."""
    found = values.number(values.plain(value))
    return abs(found) if found is not None else 0


def biggest(*items: Any) -> Any:
    """The greatest of a list, or of what is given."""
    return _extreme(items, 1)


def smallest(*items: Any) -> Any:
    """The least of a list, or of what is given."""
    return _extreme(items, -1)


def _extreme(items: tuple[Any, ...], sign: int) -> Any:
    choice = _listed(items[0]) if len(items) == 1 else list(items)
    best = choice[0] if choice else None
    for item in choice[1:]:
        if (values.order(item, best) or 0) * sign > 0:
            best = item
    return best


def random(choice: Any = None, highest: Any = None) -> Any:
    """One item of a list, one character of a text, or a number up to `choice`."""
    plain = values.plain(choice)
    if isinstance(plain, (list, tuple, Mapping)):
        items = _listed(plain)
        return chance.choice(items) if items else ""  # noqa: S311 - a lucky number, not a secret
    if isinstance(plain, str) and values.number(plain) is None:
        return chance.choice(plain) if plain else ""  # noqa: S311
    first = values.number(plain)
    last = values.number(values.plain(highest))
    low, high = (0, first) if last is None else (first or 0, last)
    low, high = sorted((int(low), int(high if high is not None else 2**31 - 1)))
    return chance.randint(low, high)  # noqa: S311


def constant(*_name: Any) -> None:
    """PHP's constants are out of reach, as in RaspiSMS."""


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exists": exists,
    "lower": lower,
    "upper": upper,
    "substr": substr,
    "strlen": length,
    "abs": absolute,
    "date": date,
    "date_from_format": date_from_format,
    "intval": intval,
    "boolval": boolval,
    "count": length,
    "is_birthday": is_birthday,
    "constant": constant,
    "max": biggest,
    "min": smallest,
    "random": random,
    "range": operators.number_range,
}


# -- filters ------------------------------------------------------------------------------------------


def _listed(value: Any) -> list[Any]:
    plain = values.plain(value)
    if isinstance(plain, Mapping):
        return list(plain.values())
    if isinstance(plain, (list, tuple, range)):
        return list(plain)
    return list(shown(plain))


def _date(value: Any, pattern: Any = "d/m/Y", *_zone: Any) -> str:
    moment = date(value)
    return dates.written(moment, shown(pattern)) if moment else ""


def _date_modify(value: Any, words: Any) -> datetime | None:
    moment = date(value)
    return dates.shift(moment, shown(words)) if moment else None


def _default(value: Any, other: Any = "", *_boolean: Any) -> Any:
    plain = values.plain(value)
    return other if plain is None or plain == "" or plain is False else plain


def _first(value: Any) -> Any:
    items = _listed(value)
    return items[0] if items else ""


def _last(value: Any) -> Any:
    items = _listed(value)
    return items[-1] if items else ""


def _printf(text: Any, *arguments: Any) -> str:
    """C's format: %s, %d, %f, with a width of up to three digits."""
    waiting = list(arguments)

    def fill(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        value = waiting.pop(0) if waiting else ""
        if found["kind"] == "s":
            piece = shown(value)
        else:
            number = values.number(values.plain(value)) or 0
            piece = str(int(number)) if found["kind"] == "d" else f"{number:.{int(found['digits'] or 6)}f}"
        width = int(found["width"] or 0)
        if found["sign"] == "-":
            return piece.ljust(width)
        return piece.rjust(width, "0" if found["pad"] else " ")

    return str(limits.bounded(PRINTF.sub(fill, shown(text))))


def _number(value: Any) -> int | float:
    return values.number(values.plain(value)) or 0


def _number_format(value: Any, decimals: Any = 0, point: Any = ".", thousands: Any = ",") -> str:
    text = f"{_number(value):,.{max(0, min(10, int(_number(decimals))))}f}"
    return text.replace(",", "\0").replace(".", shown(point)).replace("\0", shown(thousands))


def _round(value: Any, precision: Any = 0, method: Any = "common") -> Any:
    import decimal

    digits = max(-9, min(9, int(_number(precision))))
    how = {"ceil": decimal.ROUND_CEILING, "floor": decimal.ROUND_FLOOR}.get(shown(method), decimal.ROUND_HALF_UP)
    try:
        rounded = decimal.Decimal(str(_number(value))).quantize(decimal.Decimal(1).scaleb(-digits), how)
    except decimal.InvalidOperation as error:
        raise Mistake(NOT_COMPUTABLE, what=shown(value)[:40]) from error
    return int(rounded) if digits <= 0 else float(rounded)


def _join(value: Any, glue: Any = "", last: Any = None) -> str:
    limits.weigh(values.plain(value))
    pieces = [shown(item) for item in _listed(value)]
    end = values.plain(last)
    if end is not None and len(pieces) > 1:
        pieces[-2:] = [pieces[-2] + shown(end) + pieces[-1]]
    return str(limits.bounded(shown(glue).join(pieces)))


def _json(value: Any, *_options: Any) -> str:
    plain = values.plain(value)
    limits.weigh(plain)
    if isinstance(plain, Mapping):
        plain = dict(plain)
    return str(limits.bounded(json.dumps(plain, ensure_ascii=False, default=shown)))


def _keys(value: Any) -> list[Any]:
    plain = values.plain(value)
    return list(plain) if isinstance(plain, Mapping) else list(range(len(_listed(plain))))


def _replace(value: Any, pairs: Any, by: Any = None) -> str:
    """`{'a': 'b'}` as in Twig, or ('a', 'b') as in Jinja."""
    text = shown(value)
    swaps = pairs if isinstance(pairs, Mapping) else {pairs: by}
    for old, new in swaps.items():
        if shown(old):
            if len(text) + text.count(shown(old)) * len(shown(new)) > limits.CHARACTERS * 2:
                limits.bounded(" " * (limits.CHARACTERS + 1))
            text = text.replace(shown(old), shown(new))
    return str(limits.bounded(text))


def _reverse(value: Any, *_keep: Any) -> Any:
    items = _listed(value)[::-1]
    return "".join(items) if isinstance(values.plain(value), str) else items


def _sort(value: Any) -> list[Any]:
    from functools import cmp_to_key

    return sorted(_listed(value), key=cmp_to_key(lambda a, b: values.order(a, b) or 0))


def _split(value: Any, separator: Any = "", most: Any = None) -> list[str]:
    text, glue = shown(value), shown(separator)
    count = int(_number(most)) if values.plain(most) is not None else 0
    if not glue:
        size = max(1, count)
        return [text[start : start + size] for start in range(0, len(text), size)]
    return text.split(glue, count - 1) if count > 0 else text.split(glue)


def _spaceless(value: Any) -> str:
    return re.sub(r">\s+<", "><", shown(value)).strip()


def _trim(value: Any, characters: Any = None, side: Any = "both") -> str:
    marks = shown(characters) or None
    strip = {"left": str.lstrip, "right": str.rstrip}.get(shown(side), str.strip)
    return strip(shown(value), marks)


def _url_encode(value: Any) -> str:
    plain = values.plain(value)
    if isinstance(plain, Mapping):
        return "&".join(f"{quote(shown(key), safe='')}={quote(shown(item), safe='')}" for key, item in plain.items())
    return quote(shown(plain), safe="")


def _locale_names(kind: str) -> Callable[[Any], str]:
    def name(value: Any) -> str:
        known = getattr(Locale.parse(dates.LOCALE), kind)
        text = shown(value)
        return str(known.get(text) or known.get(text.upper()) or known.get(text.lower()) or text)

    return name


def _locale_name(value: Any) -> str:
    try:
        return str(Locale.parse(shown(value).replace("-", "_")).get_display_name(dates.LOCALE) or shown(value))
    except (ValueError, LookupError):
        return shown(value)


def _format_currency(value: Any, currency: Any = "EUR", *_options: Any) -> str:
    return str(format_currency(_number(value), shown(currency), locale=dates.LOCALE))


def _format_number(value: Any, *_options: Any) -> str:
    return str(format_decimal(_number(value), locale=dates.LOCALE))


def _format_datetime(value: Any, date_style: Any = "medium", time_style: Any = "medium", *_options: Any) -> str:
    moment = date(value)
    if moment is None:
        return ""
    day, hour = shown(date_style), shown(time_style)
    pieces = []
    from babel.dates import format_date, format_time

    for style, formatted in ((day, format_date), (hour, format_time)):
        if style in {"full", "long", "medium", "short"}:
            shortened = "medium" if formatted is format_time and style in {"full", "long"} else style
            pieces.append(str(formatted(moment, shortened, locale=dates.LOCALE)))
    return " ".join(pieces) or str(format_datetime(moment, locale=dates.LOCALE))


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": absolute,
    "capitalize": lambda value: shown(value).capitalize(),
    "country_name": _locale_names("territories"),
    "currency_name": lambda value: get_currency_name(shown(value).upper(), locale=dates.LOCALE),
    "currency_symbol": lambda value: get_currency_symbol(shown(value).upper(), locale=dates.LOCALE),
    "date": _date,
    "date_modify": _date_modify,
    "default": _default,
    "e": lambda value, *_kind: html.escape(shown(value)),
    "escape": lambda value, *_kind: html.escape(shown(value)),
    "first": _first,
    "format": _printf,
    "format_currency": _format_currency,
    "format_datetime": _format_datetime,
    "format_number": _format_number,
    "join": _join,
    "json_encode": _json,
    "keys": _keys,
    "language_name": _locale_names("languages"),
    "last": _last,
    "length": length,
    "locale_name": _locale_name,
    "lower": lower,
    "number_format": _number_format,
    "raw": shown,
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "slice": operators.cut,
    "sort": _sort,
    "spaceless": _spaceless,
    "split": _split,
    "timezone_name": shown,
    "title": lambda value: shown(value).title(),
    "trim": _trim,
    "upper": upper,
    "url_encode": _url_encode,
}

TESTS: dict[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "divisibleby": lambda value, by: bool(_number(by)) and _number(value) % _number(by) == 0,
    "empty": lambda value: values.plain(value) in (None, "", False) or value == [] or value == {},
    "even": lambda value: _number(value) % 2 == 0,
    "iterable": lambda value: isinstance(values.plain(value), (list, tuple, Mapping, range)),
    "none": lambda value: values.plain(value) is None,
    "null": lambda value: values.plain(value) is None,
    "odd": lambda value: _number(value) % 2 == 1,
    "sameas": values.same,
}
