"""Files and pasted lists of strangers: read by the workshop's child, never by who serves pages."""

from __future__ import annotations

from typing import Any

from .. import workshop
from ..i18n import N_
from ..sms import phone_numbers
from .reading import Choice, Line, Unreadable
from .reading.lines import Kept

# A minute of the processor for a whole list, and as much memory as a machine with one gigabyte can spare.
LIMITS = workshop.Limits(seconds=60.0, memory=512 * 1024 * 1024, each=False)
# While somebody waits for the page.
IMPATIENT = workshop.Limits(seconds=8.0, memory=512 * 1024 * 1024, each=False)

TOO_MUCH = N_(
    "Ce fichier demande trop de temps ou de mémoire pour être lu : enregistrez-le en CSV, sans mise en forme, "
    "ou partagez-le en plusieurs."
)


def read(content: bytes, choice: Choice | None = None, limits: workshop.Limits = IMPATIENT) -> Kept:
    """How a file is understood, whatever its format, and everybody in it. Raises reading.Unreadable."""
    return _read(content, choice, limits)


def read_patiently(content: bytes, choice: Choice | None = None) -> Kept:
    """The same, for a job that has the time; once more where the child ended for a reason that may be its own."""
    try:
        return read(content, choice, LIMITS)
    except Unreadable as error:
        if str(error) != TOO_MUCH:
            raise
        return read(content, choice, LIMITS)


def read_text(text: str) -> Kept:
    """The same of a pasted list. Raises reading.Unreadable."""
    return _read(text.encode("utf-8", "replace"), None, IMPATIENT)


def _read(content: bytes, choice: Choice | None, limits: workshop.Limits) -> Kept:
    kept = Kept({}, [])
    wrong: dict[str, Any] | None = None
    payload = (content, choice.as_dict() if choice else None, phone_numbers.countries())
    try:
        for found in workshop.ask("list", payload, limits):
            if isinstance(found, list):
                kept.lines.append(Line(*found))
            elif "layout" in found:
                kept.layout = found["layout"]
            else:
                wrong = found
    except workshop.Ended as error:
        raise Unreadable(TOO_MUCH) from error
    if wrong is not None:
        raise Unreadable(str(wrong["sentence"]), wrong["line"])
    return kept
