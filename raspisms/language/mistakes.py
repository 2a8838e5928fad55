"""What is wrong with a rule or a text: a sentence, and its place."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import TemplateSyntaxError

from ..i18n import N_

UNEXPECTED = N_("« %(what)s » est inattendu ici.")
UNFINISHED = N_("Il manque la fin : vérifiez les parenthèses, les guillemets et les accolades.")
UNKNOWN_FILTER = N_("Le filtre « %(what)s » n’existe pas.")
UNKNOWN_FUNCTION = N_("La fonction « %(what)s » n’existe pas.")
UNKNOWN_TAG = N_("La balise « %(what)s » n’existe pas ou n’est pas à sa place.")
UNKNOWN_NAME = N_("« %(what)s » n’existe pas. Pour une donnée du contact, écrivez contact.%(what)s")
UNCLOSED = N_("Le bloc « %(what)s » n’est pas fermé : il manque {%% end%(what)s %%}.")
UNREADABLE = N_("Cette écriture n’est pas comprise.")
TOO_DEEP = N_("Trop de parenthèses ou de blocs les uns dans les autres.")
TOO_LONG = N_("C’est trop long à calculer : réduisez les boucles ou les répétitions.")
TOO_BIG = N_("Le texte obtenu est beaucoup trop long pour un SMS.")
NOT_COMPUTABLE = N_("Le calcul est impossible : %(what)s")

# How Jinja says it (3.1), and how we do.
JINJA_WORDS = (
    (re.compile(r"(?:No filter named|no filter named) '(?P<what>[^']*)'"), UNKNOWN_FILTER),
    (re.compile(r"[Nn]o test named '(?P<what>[^']*)'"), UNEXPECTED),
    (re.compile(r"needs to be closed is '(?P<what>[^']*)'"), UNCLOSED),
    (re.compile(r"unknown tag '(?P<what>[^']*)'"), UNKNOWN_TAG),
    (
        re.compile(r"[Uu]nexpected end of|'end of (?:template|statement|print)|unexpected char [\"']{1,2}[\"']"),
        UNFINISHED,
    ),
    (re.compile(r"unexpected char '(?P<what>.)'"), UNEXPECTED),
    (re.compile(r"got '(?P<what>[^']*)'|unexpected '(?P<what2>[^']*)'"), UNEXPECTED),
)


class Mistake(ValueError):
    """A rule or a text cannot be read or computed; `sentence` (a msgid) and `values` say why."""

    def __init__(self, sentence: str, place: int | None = None, **values: Any) -> None:
        super().__init__(sentence % values if values else sentence)
        self.sentence = sentence
        self.values = values
        self.place = place
        """In a rule: the character, from 1. In a text: the line, from 1. None when unknown."""


# Where the lexer stops, it counts characters from 0.
AT = re.compile(r"unexpected char .* at (\d+)$")


def from_jinja(error: TemplateSyntaxError, *, by_character: bool) -> Mistake:
    """Jinja's words for a mistake, as a sentence of ours."""
    words = error.message or ""
    at = AT.search(words) if by_character else None
    place = int(at[1]) + 1 if at else error.lineno
    for pattern, sentence in JINJA_WORDS:
        if found := pattern.search(words):
            what = next((text for text in found.groupdict().values() if text), "")
            return Mistake(sentence, place, **({"what": what} if "%(what)s" in sentence else {}))
    return Mistake(UNREADABLE, place)
