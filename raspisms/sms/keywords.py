"""Recognising that a person says STOP, or START; yes, or no; and nothing else."""

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


def is_yes(text: str) -> bool:
    """Whether the whole message means yes."""
    return _answer(text) in YES or _is_only(text, THUMB_UP)


def is_no(text: str) -> bool:
    """Whether the whole message means no."""
    return _answer(text) in NO or _is_only(text, THUMB_DOWN)


def _answer(text: str) -> str:
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
