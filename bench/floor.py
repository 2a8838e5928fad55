"""The floor for callbacks: a bare Flask route that commits what it was sent to SQLite, on the same server."""

from __future__ import annotations

import sqlite3
import sys
import threading

from flask import Flask, request


def create_app(path: str) -> Flask:
    """One route, one table, one commit per request; a connection per thread, as safe as ours is."""
    app = Flask(__name__)
    mine = threading.local()

    @app.post("/")
    def keep():
        if not hasattr(mine, "connection"):
            mine.connection = sqlite3.connect(path, timeout=5, isolation_level=None)
            mine.connection.execute("PRAGMA journal_mode = WAL")
            mine.connection.execute("PRAGMA synchronous = FULL")
            mine.connection.execute("CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, body BLOB)")
        mine.connection.execute("INSERT INTO kept (body) VALUES (?)", (request.get_data(),))
        return "", 200

    return app


def serve(port: int, path: str) -> None:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    from raspisms.supervisor.web_server import CALLBACK_THREADS

    server = Server(
        "floor",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=CALLBACK_THREADS,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=lambda *_args, **_more: create_app(path), wrap_loader=False)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
