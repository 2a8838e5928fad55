"""Recognising that a person says STOP, or START; yes, or no; and nothing else."""

from __future__ import annotations

import functools
import re
import unicodedata

# Whole messages, without accents, case or punctuation. "stop s'il vous plaît" is no such message: a person reads it.
STOP_WORDS = frozenset({"STOP", "STOPSMS", "STOPPUB", "ARRET", "DESABONNER", "DESINSCRIRE"})
# What our own advertisements say: "STOP au 36180", with the short number or without its "au".
STOP_AS_WE_SAY_IT = re.compile(r"STOP(?:AU)?[0-9]{5}")
# What such a message says in other words, or among others: a person decides. On text without accents, in capitals.
LIKE_STOP = re.compile(
    "|".join(
        (
            r"\bSTOP(?:P\w*|ALL|SMS|PUB)?\b",
            r"\bDESABONN\w*|\bDESINSCRI\w*|\bUNSUBSCRIB\w*|\bOPT[ -]?OUT\b",
            r"^\W*ARRET\w*|\bARRETEZ?\b",
            r"\bARRETER\b.{0,30}\b(?:ENVO\w*|ECRI\w*|SMS|MESSAGES?|TEXTOS?|PUBS?)\b",
            r"\bCESSE[RZ]?\b",
            # "ne m'écrivez plus", "ne plus me contacter", "je ne veux plus recevoir vos messages", "plus de pub"
            r"\bNE?\b.{0,4}\b(?:ECRI|ENVO[IY]|CONTACT|DERANG|APPEL|SOLLICIT)\w*.{0,20}\bPLUS\b",
            r"\bPLUS\b.{0,12}\b(?:RECEVOIR|ME CONTACTER|M.?ECRIRE|M.?ENVOYER|ETRE CONTACTEE?)\b",
            r"\bPLUS DE (?:VOS )?(?:SMS|MESSAGES?|TEXTOS?|PUBS?|PUBLICITES?)\b",
            r"\b(?:RETIR|ENLEV|SUPPRIM|EFFAC|OT|RAY)(?:E|EZ|ER)\b"
            r".{0,30}\b(?:NUMERO|NUM|LISTES?|FICHIERS?|COORDONNEES|TELEPHONE|PORTABLE)\b",
            r"\b(?:LAISSE[ZR]?|FICHE[ZR]?|FOUTE[ZR]?)\b.{0,8}\b(?:TRANQUILLE|PAIX)\b",
            r"\bREMOVE ME\b|\bLEAVE ME ALONE\b|\b(?:DO NOT|DON.?T|NO MORE) (?:TEXT|MESSAGE|SMS|CONTACT)\w*",
        )
    )
)
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
    word = _word(text)
    return word in STOP_WORDS or STOP_AS_WE_SAY_IT.fullmatch(word) is not None


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
