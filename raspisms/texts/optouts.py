"""Recognising that a person says STOP."""

from __future__ import annotations

import functools
import re
import unicodedata

# Whole messages, without accents, case or punctuation. "STOP 12345" or "stop s'il vous plaît" are no
# such message: a person reads those.
STOP_WORDS = frozenset({"STOP", "STOPSMS", "STOPPUB", "ARRET", "DESABONNER", "DESINSCRIRE"})


# Words of such a message among others: a person decides.
LIKE_STOP = re.compile(r"\b(?:STOP|STOPSMS|DESABONN\w*|DESINSCRI\w*)\b|^\W*ARRET\w*\b")
START_WORDS = frozenset({"START", "REPRENDRE"})


def is_stop(text: str) -> bool:
    """Whether the whole message is one of the words that mean: write to me no more."""
    return _word(text) in STOP_WORDS


def is_start(text: str) -> bool:
    """Whether the whole message takes a STOP back."""
    return _word(text) in START_WORDS


def is_like_stop(text: str) -> bool:
    """Whether the message speaks of stopping, in more words than one."""
    return not is_stop(text) and LIKE_STOP.search(_plain(text)) is not None


@functools.lru_cache(maxsize=64)
def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).upper()


def _word(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", _plain(text))
