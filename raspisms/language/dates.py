"""Dates as people and PHP write them: reading, formatting, shifting. All in the installation's zone, without one."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import current_app, has_app_context

from ..sms.folding import fold

# Day before month: RaspiSMS read 07/12 as PHP does, as July 12th, which no French list means.
WRITTEN = re.compile(
    r"(?:(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})|(?P<d2>\d{1,2})[-/.](?P<m2>\d{1,2})[-/.](?P<y2>\d{4}))"
    r"(?:[T ]+(?P<H>\d{1,2})[:h](?P<M>\d{2})?(?::(?P<S>\d{2}))?)?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?"
)
# Days as lists have them: 25/11/90, 25/11, 19901125, --11-25 (a card without a year), 25 novembre 1990.
DAY = re.compile(
    r"(?P<d>\d{1,2})[-/. ](?P<m>\d{1,2})(?:[-/. ](?P<yy>\d{2}))?|(?P<y3>(?:19|20)\d{2})(?P<m3>\d{2})(?P<d3>\d{2})"
    r"|--(?P<m4>\d{2})-?(?P<d4>\d{2})|(?P<d5>\d{1,2})(?:er|st|nd|rd|th)?[ \-.]+(?P<name>[^\W\d_]{3,})\.?"
    r"(?:[ \-.,]+(?P<y5>\d{4}|\d{2}))?|(?P<d6>\d{2})(?P<m6>\d{2})(?P<y6>(?:19|20)\d{2})"
    r"|(?:[^\W\d_]{3}\s)?(?P<name7>[^\W\d_]{3,})\.?\s(?P<d7>\d{1,2})(?:st|nd|rd|th)?,?\s(?P<y7>\d{4})"
)
NAMED_DAY = re.compile(r"(?P<d>\d{1,2})(?:er)?\s+(?P<m>[^\W\d_]{3,})\.?\s+(?P<y>\d{4})")
YEARLESS = re.compile(r"--(?P<m>\d{2})-(?P<d>\d{2})")
DAYS = ("d", "d3", "d4", "d5", "d6", "d7")
MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre"),
    "decembre",
)
ENGLISH_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november"),
    "december",
)
# The year of a birthday without one: it has a 29 February.
ANY_YEAR = 1604
SHIFT = re.compile(r"(?P<sign>[+-]?)\s*(?P<count>\d{1,6})\s*(?P<unit>second|sec|minute|min|hour|day|week|month|year)s?")
NAMED = {"now": 0, "today": 0, "midnight": 0, "tomorrow": 1, "yesterday": -1}
# PHP's letters, as patterns of Babel; what is computed is in `_computed`.
PHP_LETTERS = {
    "d": "dd", "j": "d", "D": "EEE", "l": "EEEE", "F": "MMMM", "m": "MM", "M": "MMM", "n": "M", "Y": "y",
    "y": "yy", "H": "HH", "G": "H", "h": "hh", "g": "h", "i": "mm", "s": "ss", "A": "a", "a": "a", "W": "ww",
    "z": "D",
}  # fmt: skip
STRFTIME_LETTERS = {
    "d": "dd", "e": "d", "m": "MM", "Y": "y", "y": "yy", "H": "HH", "M": "mm", "S": "ss", "B": "MMMM", "b": "MMM",
    "A": "EEEE", "a": "EEE", "I": "hh", "j": "DDD",
}  # fmt: skip
# What each letter of a format takes when a date is read by it.
READS = {
    "d": r"(?P<d>\d{2})", "j": r"(?P<d>\d{1,2})", "m": r"(?P<m>\d{2})", "n": r"(?P<m>\d{1,2})", "Y": r"(?P<y>\d{4})",
    "y": r"(?P<yy>\d{2})", "H": r"(?P<H>\d{2})", "G": r"(?P<H>\d{1,2})", "i": r"(?P<M>\d{2})", "s": r"(?P<S>\d{2})",
}  # fmt: skip
LOCALE = "fr"


def present() -> datetime:
    """Now, on the clock of the installation."""
    zone = current_app.config["TIMEZONE"] if has_app_context() else "Europe/Paris"
    return datetime.now(ZoneInfo(zone)).replace(tzinfo=None)


def read(text: str) -> datetime | None:
    """The date that a text is, day before month; None when it is none. Knows now, today, tomorrow, "+2 days"."""
    plain = text.strip()
    if written := WRITTEN.fullmatch(plain):
        part = written.groupdict()
        return _made(
            part["y"] or part["y2"], part["m"] or part["m2"], part["d"] or part["d2"], part["H"], part["M"], part["S"]
        )
    if found := NAMED_DAY.fullmatch(plain):
        return _made(found["y"], _month(found["m"]), found["d"])
    if found := YEARLESS.fullmatch(plain):  # as an import stores a birthday without a year
        return _made(ANY_YEAR, found["m"], found["d"])
    words = plain.lower()
    if words in NAMED:
        moment = present() + timedelta(days=NAMED[words])
        return moment if words == "now" else moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return shift(present(), words) if SHIFT.fullmatch(words) else None


def day_of_birth(text: str) -> str | None:
    """A birthday as 1990-11-25, or --11-25 where the text has no year; None when it is no date."""
    plain = " ".join(text.split())
    if written := WRITTEN.fullmatch(plain):
        part = written.groupdict()
        moment = _made(part["y"] or part["y2"], part["m"] or part["m2"], part["d"] or part["d2"])
        return moment.date().isoformat() if moment else None
    day = _written_day(plain)
    moment = _made(day[0] or ANY_YEAR, day[1], day[2]) if day else None
    if moment is None:
        return None
    return moment.date().isoformat() if day and day[0] else f"--{moment:%m-%d}"


def _written_day(text: str) -> tuple[int | None, int, int] | None:
    """Year (if there is one), month and day of the shorter forms."""
    found = DAY.fullmatch(text)
    if found is None:
        return None
    part = found.groupdict()
    name = part["name"] or part["name7"]
    month = _month(name) if name else int(part["m"] or part["m3"] or part["m4"] or part["m6"])
    year = part["y3"] or part["y5"] or part["y6"] or part["y7"] or part["yy"]
    if month is None:
        return None
    return _whole_year(year) if year else None, month, int(next(part[name] for name in DAYS if part[name]))


def _month(name: str) -> int | None:
    """The month that a name, or at least three letters of it that no other month begins with, is of."""
    plain = fold(name)
    for names in (MONTHS, ENGLISH_MONTHS):
        found = [place for place, month in enumerate(names, start=1) if month.startswith(plain.removesuffix("t"))]
        if len(found) == 1:
            return found[0]
    return None


def _whole_year(year: str) -> int:
    """Two digits are of the last hundred years."""
    if len(year) == 4:
        return int(year)
    century = present().year // 100 * 100
    return century + int(year) - (100 if century + int(year) > present().year else 0)


def _made(year: Any, month: Any, day: Any, hour: Any = 0, minute: Any = 0, second: Any = 0) -> datetime | None:
    try:
        return datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except (TypeError, ValueError, OverflowError):
        return None


def read_as(pattern: str, text: str) -> datetime | None:
    """The date in `text`, written as PHP's `pattern` says; a part that it does not name is the present one's."""
    expression = "".join(READS.get(letter, re.escape(letter)) for letter in pattern.lstrip("!|"))
    try:
        found = re.fullmatch(expression, text.strip())
    except re.error:  # a letter twice
        return None
    if found is None:
        return None
    part, today = found.groupdict(), present()
    year = part.get("y") or (str(2000 + int(part["yy"])) if part.get("yy") else today.year)
    return _made(
        year, part.get("m") or today.month, part.get("d") or today.day, part.get("H"), part.get("M"), part.get("S")
    )


def shift(moment: datetime, words: str) -> datetime | None:
    """`moment` moved by "+1 day", "-2 weeks" …; None when the words are none of these or lead out of the calendar."""
    by = SHIFT.fullmatch(words.strip().lower())
    if by is None:
        return None
    count = int(by["count"]) * (-1 if by["sign"] == "-" else 1)
    try:
        if by["unit"] in {"month", "year"}:
            months = moment.year * 12 + moment.month - 1 + count * (12 if by["unit"] == "year" else 1)
            first = moment.replace(year=months // 12, month=months % 12 + 1, day=1)
            return first + timedelta(days=moment.day - 1)  # as PHP: January 31st and a month is March 3rd
        unit = {"sec": "second", "min": "minute"}.get(by["unit"], by["unit"])
        return moment + timedelta(**{f"{unit}s": count})
    except (ValueError, OverflowError):
        return None


def is_birthday(born: datetime) -> bool:
    """Whether today is the day; who was born on a 29 February has it on the 28th in other years."""
    today = present()
    if (born.month, born.day) == (2, 29) and today.month == 2:
        leap = (today + timedelta(days=29 - today.day)).month == 2
        return today.day == (29 if leap else 28)
    return (born.month, born.day) == (today.month, today.day)


def written(moment: datetime, pattern: str) -> str:
    """The date in PHP's letters ("d/m/Y"), or in strftime's where the pattern has a percent sign."""
    letters, sign = (STRFTIME_LETTERS, "%") if "%" in pattern else (PHP_LETTERS, "")
    pieces, position = [], 0
    while position < len(pattern):
        character = pattern[position]
        if not sign and character == "\\" and position + 1 < len(pattern):
            pieces.append(pattern[position + 1])
            position += 2
            continue
        if sign and character == "%" and position + 1 < len(pattern):
            position += 1
            pieces.append(_letter(moment, pattern[position], letters))
        elif not sign:
            pieces.append(_letter(moment, character, letters))
        else:
            pieces.append(character)
        position += 1
    return "".join(pieces)


def _letter(moment: datetime, letter: str, letters: dict[str, str]) -> str:
    if letter in letters:
        return str(format_datetime(moment, letters[letter], locale=LOCALE))
    computed = {"N": moment.isoweekday(), "w": moment.isoweekday() % 7, "U": int(moment.timestamp())}
    return str(computed.get(letter, letter))
