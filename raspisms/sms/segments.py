"""How many parts (and so how much money) a text is: GSM-7 and UCS-2, as the operators count.

`static/segments.js` counts the same way in the browser; a test keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each takes an escape and a character: two units, never split between two parts.
EXTENDED = "^{}\\[~]|€\f"
GSM7_SINGLE, GSM7_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67

_COSTS = dict.fromkeys(BASIC, 1) | dict.fromkeys(EXTENDED, 2)


@dataclass(frozen=True)
class Segments:
    """A counted text."""

    encoding: str
    """`GSM-7` or `UCS-2`."""
    units: int
    """Septets, or 16-bit units."""
    parts: int
    """SMS that the operators bill; 0 for an empty text."""
    remaining: int
    """Units left in the last part."""


def count(text: str) -> Segments:
    """Count `text` as it would be sent, character by character."""
    gsm7 = all(character in _COSTS for character in text)
    if gsm7:
        sizes = [_COSTS[character] for character in text]
        return _fill("GSM-7", sizes, GSM7_SINGLE, GSM7_PART)
    sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return _fill("UCS-2", sizes, UCS2_SINGLE, UCS2_PART)


def foreign_characters(text: str) -> list[str]:
    """The characters that make the whole text UCS-2, each once, in order of appearance."""
    return list(dict.fromkeys(character for character in text if character not in _COSTS))


def _fill(encoding: str, sizes: list[int], single: int, part: int) -> Segments:
    units = sum(sizes)
    if units <= single:
        return Segments(encoding, units, 1 if units else 0, single - units)
    parts, used = 1, 0
    for size in sizes:
        if used + size > part:  # an escaped pair or a surrogate pair is not cut in two
            parts, used = parts + 1, 0
        used += size
    return Segments(encoding, units, parts, part - used)
