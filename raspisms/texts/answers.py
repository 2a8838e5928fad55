"""Recognising that a person says yes or no, and nothing else."""

from __future__ import annotations

import re
import unicodedata

# Whole messages, without accents, case or punctuation. "oui mais pas jeudi" is no such message: a person reads it.
YES = frozenset(
    {"OUI", "OK", "OKAY", "DACCORD", "JYSERAI", "JESERAILA", "PRESENT", "PRESENTE", "YES", "O", "BIENSUR", "VOLONTIERS"}
    | {"OUIMERCI", "OKMERCI", "MERCIOUI", "OUIOUI", "OUIJYSERAI", "OUIJESERAILA"}
)
NO = frozenset(
    {"NON", "NO", "N", "NONMERCI", "ABSENT", "ABSENTE", "JENEPEUXPAS", "PASPOSSIBLE", "DESOLENON", "NONDESOLE"}
    | {"JENYSERAIPAS", "JENESERAIPASLA", "IMPOSSIBLE"}
)
THUMB_UP, THUMB_DOWN = "\N{THUMBS UP SIGN}", "\N{THUMBS DOWN SIGN}"


def is_yes(text: str) -> bool:
    """Whether the whole message means yes."""
    return _word(text) in YES or _is_only(text, THUMB_UP)


def is_no(text: str) -> bool:
    """Whether the whole message means no."""
    return _word(text) in NO or _is_only(text, THUMB_DOWN)


def _word(text: str) -> str:
    if len(text) > 60:
        return ""
    plain = unicodedata.normalize("NFKD", text.upper())
    return re.sub(r"[^A-Z0-9]", "", plain) if not _is_question(text) else ""


def _is_question(text: str) -> bool:
    """ "Ok ?" asks; it does not answer."""
    return "?" in text


def _is_only(text: str, sign: str) -> bool:
    """One sign, whatever the colour of its skin."""
    bare = re.sub("[\N{EMOJI MODIFIER FITZPATRICK TYPE-1-2}-\N{EMOJI MODIFIER FITZPATRICK TYPE-6}\\s\ufe0f]", "", text)
    return bool(bare) and set(bare) == {sign}
