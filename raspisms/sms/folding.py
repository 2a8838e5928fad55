"""Words as a search compares them: without accents, case or signs."""

from __future__ import annotations

import unicodedata


def fold(words: str) -> str:
    """Words as a search compares them: no accents, no capitals, single spaces."""
    plain = unicodedata.normalize("NFKD", words.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def composed(words: str) -> str:
    """The same with each accent and its letter as one character (NFC).

    A Mac writes them as two, which looks the same, is found by no search and makes a text cost double.
    """
    return unicodedata.normalize("NFC", words)
