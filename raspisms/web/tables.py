"""Files that a page gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, stream_with_context
from flask_babel import format_datetime

LARGEST_LIST = 30 * 1024 * 1024


def csv(lines: Iterator[str], name: str) -> Response:
    """A CSV under this name, made while it is read."""
    answer = Response(stream_with_context(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def when(moment: Any) -> str:
    """A time as a spreadsheet understands it."""
    return str(format_datetime(moment, "yyyy-MM-dd HH:mm:ss")) if moment else ""
