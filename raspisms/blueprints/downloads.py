"""Files that a page gives."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, stream_with_context


def csv(lines: Iterator[str], name: str) -> Response:
    """A CSV under this name, made while it is read."""
    answer = Response(stream_with_context(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
