"""Recognising that a person says STOP."""

from __future__ import annotations

import re
import unicodedata

# Whole messages, without accents, case or punctuation. "STOP 12345" or "stop s'il vous plaît" are no
# such message: a person reads those.
STOP_WORDS = frozenset({"STOP", "STOPSMS", "STOPPUB", "ARRET", "DESABONNER", "DESINSCRIRE"})


def is_stop(text: str) -> bool:
    """Whether the whole message is one of the words that mean: write to me no more."""
    plain = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^A-Z0-9]", "", plain.upper()) in STOP_WORDS
