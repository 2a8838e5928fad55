"""Telephone numbers among other words: "06 39 98 70 01 / 01 99 00 10 01", "Tél : 06… (maman)"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import phone_numbers
from .phone_numbers import Kind

# A French number ends after nine digits, whatever stands behind it; others go on as long as there are digits.
IN_TEXT = re.compile(
    r"(?<![\d+])(?:"
    r"(?:(?:\+|00)[\s.\-]*33[\s.\-/]*(?:\(0\)[\s.\-]*|0[\s.\-]*)?|0)[1-9](?:[\s.\-/]*\d){8}"
    r"|(?:\+|00)[1-9](?:[\s.\-/()]*\d){7,13}"
    r"|(?:33|262|590|594|596|508)?[67]\d{8}(?:[.,]0+)?"
    r"|0\d(?:[\s.\-/]*\d){6,9}"
    r")(?!\d)"
)
DATE = re.compile(
    r"(?<!\d)(?:(?:0?[1-9]|[12]\d|3[01])([/.\-])(?:0?[1-9]|1[0-2])\1(?:19|20)?\d{2}"
    r"|(?:19|20)\d{2}([/.\-])(?:0?[1-9]|1[0-2])\2(?:0?[1-9]|[12]\d|3[01]))(?!\d)(?![/.\-]\d)"
)
MASK = "\N{CURRENCY SIGN}"


@dataclass(frozen=True)
class Found:
    """A number, where it stands, and as it stands there."""

    start: int
    end: int
    written: str
    number: str
    """E.164."""
    repaired: bool

    @property
    def gets_sms(self) -> bool:
        return phone_numbers.kind(self.number) is Kind.MOBILE


def numbers_in(text: str) -> list[Found]:
    """Every number in a text, in its order; a date is none."""
    plain = phone_numbers.typed(text)
    if len(plain) != len(text):  # places would shift
        text = plain
    masked = DATE.sub(lambda found: MASK * len(found[0]), plain)
    found = []
    for match in IN_TEXT.finditer(masked):
        number, repaired = phone_numbers.read(match[0])
        if number is not None:
            found.append(Found(match.start(), match.end(), match[0], number, repaired))
    return found


def mobiles(found: list[Found]) -> list[Found]:
    """Those that can get an SMS, each number once."""
    return list({one.number: one for one in reversed(found) if one.gets_sms}.values())[::-1]
