"""Files and pasted lists of strangers: read by the workshop's child, never by who serves pages."""

from __future__ import annotations

from typing import Any

from .. import workshop
from ..i18n import N_
from .reading import Line, Unreadable

# A minute of the processor for a whole list, and as much memory as a machine with one gigabyte can spare.
LIMITS = workshop.Limits(seconds=60.0, memory=512 * 1024 * 1024, each=False)
# While somebody waits for the page.
IMPATIENT = workshop.Limits(seconds=8.0, memory=512 * 1024 * 1024, each=False)

TOO_MUCH = N_(
    "Ce fichier demande trop de temps ou de mémoire pour être lu : enregistrez-le en CSV, sans mise en forme, "
    "ou partagez-le en plusieurs."
)


def read(content: bytes, limits: workshop.Limits = IMPATIENT) -> list[Line]:
    """Everybody in a file, whatever its format. Raises reading.Unreadable."""
    return _read((content, False), limits)


def read_patiently(content: bytes) -> list[Line]:
    """The same, for a job that has the time; once more where the child ended for a reason that may be its own."""
    try:
        return read(content, LIMITS)
    except Unreadable as error:
        if str(error) != TOO_MUCH:
            raise
        return read(content, LIMITS)


def read_text(text: str) -> list[Line]:
    """Everybody in a pasted list. Raises reading.Unreadable."""
    return _read((text.encode("utf-8", "replace"), True), IMPATIENT)


def _read(payload: tuple[bytes, bool], limits: workshop.Limits) -> list[Line]:
    lines: list[Line] = []
    wrong: dict[str, Any] | None = None
    try:
        for found in workshop.ask("list", payload, limits):
            if isinstance(found, dict):
                wrong = found
            else:
                lines.append(Line(*found))
    except workshop.Ended as error:
        raise Unreadable(TOO_MUCH) from error
    if wrong is not None:
        raise Unreadable(str(wrong["sentence"]), wrong["line"])
    return lines
