"""Lists: what their address asks for, and the files that they give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, request, stream_with_context
from flask_babel import format_datetime

from ..pagination import whole

LARGEST_LIST = 30 * 1024 * 1024
# Longer than anything that a list is asked for.
LONGEST_WORDS = 255


def asked(*names: str) -> dict[str, str]:
    """What the address of a list asks for under these names, for its filters and links; only what says something."""
    found = {name: word(name) for name in names}
    return {name: words for name, words in found.items() if words}


def word(name: str) -> str:
    """What the address says under a name, in a form that a database can look for."""
    return request.args.get(name, "").replace("\0", "").strip()[:LONGEST_WORDS]


def number(name: str) -> int | None:
    """The id that the address names; None for what no database counts to."""
    return request.args.get(name, type=whole) or None


def csv(lines: Iterator[str], name: str) -> Response:
    """A CSV under this name, made while it is read."""
    answer = Response(stream_with_context(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def when(moment: Any) -> str:
    """A time as a spreadsheet understands it."""
    return str(format_datetime(moment, "yyyy-MM-dd HH:mm:ss")) if moment else ""
