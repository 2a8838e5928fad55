"""What is wrong with a rule or a text, as the page says it: with its place."""

from __future__ import annotations

from flask_babel import gettext

from ..language import Mistake


def sentence(mistake: Mistake) -> str:
    """The mistake alone."""
    return str(gettext(mistake.sentence, **mistake.values))


def in_rule(mistake: Mistake) -> str:
    """The mistake, and the character of the rule at which it is."""
    if mistake.place is None:
        return sentence(mistake)
    return str(gettext("Au caractère %(place)s : %(sentence)s", place=mistake.place, sentence=sentence(mistake)))


def in_text(mistake: Mistake) -> str:
    """The mistake, and the line of the text on which it is."""
    if mistake.place is None:
        return sentence(mistake)
    return str(gettext("Ligne %(line)s : %(sentence)s", line=mistake.place, sentence=sentence(mistake)))
