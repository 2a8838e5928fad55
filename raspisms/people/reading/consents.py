"""Yes and no, as lists have them."""

from __future__ import annotations

import re

from ...sms.folding import fold

YES = frozenset(
    {
        *("oui", "o", "yes", "y", "x", "1", "vrai", "true", "ok", "v", "d'accord", "accord", "accorde", "accordee"),
        *("accepte", "acceptee", "optin", "opt-in", "oui,", "j'accepte"),
        *("\N{CHECK MARK}", "\N{HEAVY CHECK MARK}", "\N{WHITE HEAVY CHECK MARK}", "\N{BALLOT BOX WITH CHECK}"),
    }
)
NO = frozenset(
    {
        *("non", "n", "no", "0", "faux", "false", "refus", "refuse", "refusee", "jamais", "pas", "stop", "non,"),
        *("optout", "opt-out", "desinscrit", "desinscrite", "desabonne", "desabonnee", "unsubscribed"),
        *("\N{BALLOT X}", "\N{HEAVY BALLOT X}", "\N{CROSS MARK}", "\N{BALLOT BOX}"),
    }
)
BY_MAIL = re.compile(r"\b(?:e-?)?mail|\bcourri")
REFUSES = re.compile(r"\b(?:ne|n'|pas|refuse|jamais|not|don't)\b|n'")


def says(cell: str) -> bool | None:
    """Whether somebody agrees; None for what says neither, or both."""
    words = fold(cell.replace("’", "'")).strip(" .!\N{VARIATION SELECTOR-16}")
    if words in YES or words in NO:
        return words in YES
    if BY_MAIL.search(words) and "sms" not in words:
        return None  # an agreement to something else
    if REFUSES.search(words):
        return False
    first = words.split(" ")[0].strip(",;:.") if words else ""
    if first in {"je", "j'ai"}:
        return True if re.search(r"\baccept", words) else None
    if first in YES or first in NO:
        return first in YES
    return None
