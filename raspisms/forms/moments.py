"""Times that people type."""

from __future__ import annotations

from datetime import UTC, datetime

from .. import clock
from ..clock import now

LOCAL = "%Y-%m-%dT%H:%M"


def moment(raw: str | None) -> datetime | None:
    """The time that a person typed, on the wall clock of the installation, in UTC.

    On the night when an hour is skipped, a time inside of it is the one after the jump; when an hour comes
    twice, it is the first.
    """
    text = (raw or "").strip()
    for pattern in (LOCAL, "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M"):
        try:
            local = datetime.strptime(text, pattern)
        except ValueError:
            continue
        if abs(local.year - now().year) > 3:  # a slip of the keyboard, and no calendar of ours
            return None
        return local.replace(tzinfo=clock.zone()).astimezone(UTC)
    return None


def local(when: datetime | None) -> str:
    """A time as a browser's field for it holds it."""
    return when.astimezone(clock.zone()).strftime(LOCAL) if when else ""
