"""Sentences for people outside of a page: the command line and what stops a start.

French is the language of the source; `LANG=en…` in the environment gives English.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations
from flask_babel import Domain, get_locale

FOLDER = Path(__file__).parent / "translations"


def N_(sentence: str) -> str:  # noqa: N802 - gettext's usual mark for a sentence translated later
    """Mark a sentence for translation where it is written; it is translated where it is shown."""
    return sentence


def terminal_locale() -> str:
    """`en` when the terminal asks for English, else `fr`."""
    language = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if language.lower().startswith("en") else "fr"


class French(NullTranslations):
    """The sentences as they are written; nothing, and one and a half, are singular in French."""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return msgid1 if abs(n) < 2 else msgid2

    def ungettext(self, singular: str, plural: str, num: int) -> str:
        return self.ngettext(singular, plural, num)


class Sentences(Domain):  # type: ignore[misc]
    """Flask-Babel's, with French as its source."""

    def get_translations(self) -> NullTranslations:
        """What the language of who reads it says."""
        if str(get_locale() or "fr").startswith("fr"):
            return _FRENCH
        found: NullTranslations = super().get_translations()
        return found


_FRENCH = French()


@functools.cache
def _catalogue(locale: str) -> NullTranslations:
    return Translations.load(FOLDER, [locale])


def translate(locale: str, sentence: str, **values: Any) -> str:
    """A sentence in a person's language, outside of any page."""
    translated = _catalogue(locale).gettext(sentence)
    return translated % values if values else translated


def say(sentence: str, **values: Any) -> str:
    """A sentence in the terminal's language, with its values filled in."""
    translated = _catalogue(terminal_locale()).gettext(sentence)
    return translated % values if values else translated
