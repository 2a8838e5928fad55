"""Saying the same without the characters that make a text cost two or three times as much.

`static/rewriting.js` holds the same table; a test keeps the two equal.
"""

from __future__ import annotations

import re
import unicodedata

from .segments import foreign_characters

# What no decomposition gives. Everything else loses its accent.
TABLE = {
    "`": "'", "´": "'",
    "œ": "oe", "Œ": "OE", "’": "'", "‘": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "…": "...", "–": "-", "—": "-", "−": "-", "‑": "-", "•": "-", "·": ".", "°": "o", "º": "o", "ª": "a", "²": "2",
    "³": "3", "×": "x", "÷": "/", "™": "TM", "©": "(c)", "®": "(r)", "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " ", "\N{ZERO WIDTH SPACE}": "", "\t": " ",
    "\N{ZERO WIDTH NO-BREAK SPACE}": "", "\N{SOFT HYPHEN}": "",
}  # fmt: skip
# Quotes that French sets apart by a space.
WITHIN_QUOTES = re.compile(r"«[ \u00a0\u202f]?|[ \u00a0\u202f]?»")


def without_foreign(text: str) -> str:
    """The text with only the characters that cost rewritten; an emoji, which has no other form, stays."""
    text = WITHIN_QUOTES.sub('"', text)
    for character in foreign_characters(text):
        text = text.replace(character, _plain(character))
    return text


def _plain(character: str) -> str:
    if character in TABLE:
        return TABLE[character]
    parts = unicodedata.normalize("NFD", character)
    plain = "".join(part for part in parts if not unicodedata.category(part).startswith("M"))
    return plain if plain and not foreign_characters(plain) else character
