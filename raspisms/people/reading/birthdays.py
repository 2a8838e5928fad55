"""Birthdays in the forms that people and programs write, as one form."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import date, timedelta

from ...clock import now
from ...i18n import N_
from ...language import dates
from .lines import Said

NO_DATE = N_("« %(value)s » n’est pas une date : écrivez-la comme 25/11/1990.")
NOT_YET = N_("« %(value)s » est à venir : ce n’est pas une date de naissance.")
# What programs write for no birthday.
NOTHING = re.compile(r"0{1,4}[-/.]0{1,2}[-/.]0{1,4}(?:[ T].*)?|[-/.\s]+|\?+|n/?a|null|inconnue?", re.IGNORECASE)
TWO_NUMBERS = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2,4})")
# "né le 25/11/1990", "25/11/1990 (35 ans)", "dimanche 25 novembre 1990".
AROUND = re.compile(
    r"^(?:n[ée](?:\(?e\)?)?\s+le\s+|(?:lun|mar|mercre|jeu|vendre|same)di\s+|dimanche\s+)+|\s*\(.*\)$", re.IGNORECASE
)
SPACED = re.compile(r"\s*([/.\-])\s*")
# A spreadsheet counts days from here; a birthday of somebody alive is within these.
SPREADSHEET_BEGINS = date(1899, 12, 30)
SERIALS = range(7_000, 55_000)
# Apple's telephones write it where there is no year.
NO_YEAR = "1604-"


class Reader:
    """Birthdays of one list: whether its months come first is seen in all of them."""

    def __init__(self, held: Sequence[str]) -> None:
        slashed = [cell for cell in held if "/" in cell]
        pairs = [(int(found[1]), int(found[2])) for cell in slashed if (found := TWO_NUMBERS.match(cell.strip()))]
        self._today = now().date().isoformat()
        self._month_first = any(second > 12 for _, second in pairs) and not any(first > 12 for first, _ in pairs)

    def settled(self, written: str) -> tuple[str, Said | None]:
        """A birthday as 1990-11-25, or --11-25 without a year; what is none stays as it is, with a sentence."""
        text = written.strip()
        if not text or NOTHING.fullmatch(text):
            return "", None
        found = self._read(text)
        if found is None:
            return text, (NO_DATE, {"value": text[:40]})
        if found > self._today:
            return text, (NOT_YET, {"value": text[:40]})
        return ("--" + found.removeprefix(NO_YEAR) if found.startswith(NO_YEAR) else found), None

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - a list has few readers and many people of one day
    def _read(self, text: str) -> str | None:
        plain = SPACED.sub(r"\1", AROUND.sub("", text).strip())
        if self._month_first:
            plain = TWO_NUMBERS.sub(r"\2/\1/\3", plain)
        if plain.isascii() and plain.isdecimal() and int(plain[:9]) in SERIALS:
            return (SPREADSHEET_BEGINS + timedelta(days=int(plain))).isoformat()
        return dates.day_of_birth(plain)
