"""What every answer says to browsers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response as FlaskResponse
from flask import current_app, request
from werkzeug.wrappers import Response

from ..clock import now

# Only what is ours, nothing inline: a text from an SMS can never become a script.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Bootstrap draws its arrows as data: images
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class Answer(FlaskResponse):
    """Whose cookies last for a time instead of until a date: a browser's clock and ours may differ by years."""

    def set_cookie(self, key: str, *arguments: Any, **more: Any) -> None:
        """The same, with the rest of its life in seconds beside the date."""
        expires = more.get("expires")
        if isinstance(expires, datetime) and more.get("max_age") is None:
            more["max_age"] = int((expires - now()).total_seconds())
        super().set_cookie(key, *arguments, **more)


def add_headers(response: Response) -> Response:
    """After each request: what browsers may do with the answer."""
    _stay_here(response)
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint not in {"static", "bootstrap.static"}:
        response.headers.setdefault("Cache-Control", "no-store")
    elif not current_app.debug:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _stay_here(response: Response) -> None:
    """A redirection names a place on the server that was asked, not a server: a stranger may write any Host."""
    location = response.headers.get("Location", "")
    if location.startswith(request.host_url):
        response.headers["Location"] = "/" + location.removeprefix(request.host_url)
