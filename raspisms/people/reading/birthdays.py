"""Birthdays in the forms that people and programs write, as one form."""

from __future__ import annotations

import re

from ...i18n import N_
from ...language import dates
from .lines import Said

NO_DATE = N_("« %(value)s » n’est pas une date : écrivez-la comme 25/11/1990.")
# What programs write for no birthday.
NOTHING = re.compile(r"0{1,4}[-/.]0{1,2}[-/.]0{1,4}(?:[ T].*)?|[-/.\s]+|-+")


def settled(written: str) -> tuple[str, Said | None]:
    """A birthday as 1990-11-25, or --11-25 without a year; what is none stays as it is, with a sentence."""
    text = written.strip()
    if not text or NOTHING.fullmatch(text):
        return "", None
    found = dates.day_of_birth(text)
    if found is None:
        return text, (NO_DATE, {"value": text[:40]})
    return found, None
