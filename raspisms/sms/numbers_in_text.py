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
    r"|(?:\+|00)[1-9](?:(?!\s[/\-]\s|/0)[\s.\-/()]*\d){7,13}"
    r"|(?:33|262|590|594|596|508)?[67]\d{8}(?:[.,]0+)?"
    r"|0\d(?:[\s.\-/]*\d){6,9}"
    r")(?!\d)"
)
DATE = re.compile(
    r"(?<!\d)(?<!\d[/.\-])(?:(?:0?[1-9]|[12]\d|3[01])([/.\-])(?:0?[1-9]|1[0-2])\1(?:19|20)?\d{2}"
    r"|(?:19|20)\d{2}([/.\-])(?:0?[1-9]|1[0-2])\2(?:0?[1-9]|[12]\d|3[01]))(?!\d)(?![/.\-]\d)"
    r"|\b\d{1,2}(?:er)?\s+(?:janv|f[ée]vr|mars|avr|mai|juin|juil|ao[uû]t|sept|oct|nov|d[ée]c)[^\W\d_]*\.?"
    r"(?:\s+(?:19|20)\d{2})?\b",
    re.IGNORECASE,
)
# "06 39 98 70 01 / 02": a second number of which only the end is written.
AND_ANOTHER = re.compile(r"\s*(?:[/,;&-]|\b(?:ou|et|or|and)\b)\s*\d{2}(?:[ .]?\d{2}){0,3}\s*", re.IGNORECASE)
MORE_DIGITS, DIGITS_BEFORE = re.compile(r"[ .\-\t]*\d"), re.compile(r"(?:^|\W)\d*(\d)[ .\-\t]*$")
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
        # What was read as one of these is a mobile of today's plan: most lists are made of nothing else.
        return self.number.startswith(("+336", "+337")) or phone_numbers.kind(self.number) is Kind.MOBILE


def numbers_in(text: str) -> list[Found]:
    """Every number in a text, in its order; a date is none."""
    plain = phone_numbers.typed(text)
    if len(plain) != len(text):  # places would shift
        text = plain
    masked = DATE.sub(lambda found: MASK * len(found[0]), plain)
    found, matches = [], list(IN_TEXT.finditer(masked))
    edges = {match.start() for match in matches} | {match.end() for match in matches}
    for match in matches:
        if _goes_on(masked, match, edges):
            continue
        number, repaired = phone_numbers.read(match[0])
        if number is not None:
            found.append(Found(match.start(), match.end(), match[0], number, repaired))
    return found


def _goes_on(text: str, match: re.Match[str], edges: set[int]) -> bool:
    """Whether digits too many stand beside it: it was mistyped, and a part of it is somebody else's number."""
    after, before = (
        MORE_DIGITS.match(text, match.end()),
        DIGITS_BEFORE.search(text, max(0, match.start() - 12), match.start()),
    )
    return bool(after and after.end() - 1 not in edges) or bool(before and before.end(1) not in edges)


def mobiles(found: list[Found]) -> list[Found]:
    """Those that can get an SMS, each number once."""
    return list({one.number: one for one in reversed(found) if one.gets_sms}.values())[::-1]


def has_another(text: str, found: list[Found]) -> bool:
    """Whether a text ends with the end of a second number: which one is meant, nobody knows."""
    return bool(found) and AND_ANOTHER.fullmatch(phone_numbers.typed(text), found[-1].end) is not None
