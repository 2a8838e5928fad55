"""Recognising that a person says STOP, or START; yes, or no; and nothing else."""

from __future__ import annotations

import functools
import re
import unicodedata

# Whole messages, without accents, case or punctuation. "stop s'il vous plaît" is no such message: a person reads it.
STOP_WORDS = frozenset({"STOP", "STOPSMS", "STOPPUB", "ARRET", "DESABONNER", "DESINSCRIRE"})
# What our own advertisements say: "STOP au 36180". French short numbers begin with 3; a postcode is an address.
STOP_AS_WE_SAY_IT = re.compile(r"\W*STOP\s*(?:AU\s*)?3(?:\s?[0-9]){4}\W*")
# What such a message says in other words, or among others: a person decides. On text without accents, in capitals,
# with single blanks.
WRITING = r"(?:ECRI|ENVO[IY]|CONTACT|DERANG|SOLLICIT)\w*"
SMS = r"(?:SMS|MESSAGES?|TEXTOS?|PUBS?|PUBLICITES?)"
LIKE_STOP = re.compile(
    "|".join(
        (
            r"(?<!NON-)(?<!AUTO-)(?<!AUTO )\bSTOP(?:P|PER|PEZ|ALL|SMS|PUB)?\b",
            r"\bDESABONN\w*|\bDESINSCRI\w*|\bUNSUBSCRIB\w*|\bOPT[ -]?OUT\b",
            r"^\W*ARRET\w*(?! (?:MALADIE|DE BUS|DE TRAVAIL|MUNICIPAL))\b|(?<!['’])\bARRETEZ\b",
            rf"\bARRETER\b.{{0,30}}\b(?:{WRITING}|{SMS})\b",
            r"\bCESSEZ\b",
            # "ne m'écrivez plus", "n'envoyez plus rien"
            rf"\bNE? ?(?:PAS )?(?:ME |M.|NOUS |PLUS )?(?:ME |M.)?{WRITING}.{{0,20}}\bPLUS\b(?! T[AO])",
            # "merci de ne plus me contacter"
            rf"\bNE PLUS (?:ME |M.|NOUS )?(?:{WRITING}|APPEL\w*|RECEV\w*)",
            # "je ne veux plus recevoir vos messages", "je ne souhaite pas être contacté"
            r"\b(?:VEU[XT]|SOUHAITE|DESIRE|VOUDRAIS|AIMERAIS) (?:PLUS|PAS)\b.{0,12}"
            rf"\b(?:RECEVOIR|AVOIR|ETRE|VOS|DE|D.)\b.{{0,8}}\b(?:{SMS}|CONTACTEE?)\b",
            rf"\bVEU[XT] PLUS RECEVOIR\b|(?<!RECEVOIR )\bPLUS (?:DE |D.)?(?:VOS )?{SMS}(?: SVP| MERCI| STP|$|[.!])",
            r"\b(?:RETIREZ|ENLEVEZ|SUPPRIMEZ|EFFACEZ|OTEZ|RAYEZ)\b.{0,6}\b(?:MOI|MON|MES)\b",
            r"\b(?:LAISSE[ZR]?|FICHE[ZR]?|FOUTE[ZR]?)[ -]?(?:MOI|NOUS)\b.{0,8}\b(?:TRANQUILLE|PAIX)\b",
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
    return _word(text) in STOP_WORDS or STOP_AS_WE_SAY_IT.fullmatch(_plain(text)) is not None


def is_start(text: str) -> bool:
    """Whether the whole message takes a STOP back."""
    return _word(text) in START_WORDS


def is_like_stop(text: str) -> bool:
    """Whether the message speaks of stopping, in more words than one."""
    return not is_stop(text) and LIKE_STOP.search(_plain(text)) is not None


@functools.lru_cache(maxsize=64)
def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character)).upper()
    return " ".join(plain.split())


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
