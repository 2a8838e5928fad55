"""The sandbox as a process of its own."""

from __future__ import annotations

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from . import create_sandbox_app


class QuietHandler(WSGIRequestHandler):
    """Keeps connections open, as the provider does, and writes no line per request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The sandbox remembers requests; the terminal need not."""


def make(port: int, app: Flask | None = None) -> BaseWSGIServer:
    """A server on 127.0.0.1, not yet serving; port 0 takes a free one."""
    return make_server("127.0.0.1", port, app or create_sandbox_app(), threaded=True, request_handler=QuietHandler)
