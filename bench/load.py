"""A load of small posts over a few kept-open connections, from one thread: light enough to measure a server with."""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECTIONS = 8
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Load:
    """What came of it; times in seconds."""

    seconds: float
    times: list[float]

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.times, n=100)[98]

    @property
    def worst(self) -> float:
        return max(self.times)


def post(url: str, bodies: Iterable[bytes], connections: int = CONNECTIONS) -> Load:
    """Post every body, each connection sending its next as soon as it is answered; every answer must be a 2xx."""
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    waiting = deque(f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies)
    times: list[float] = []
    chooser = selectors.DefaultSelector()
    begun = time.monotonic()
    for _ in range(min(connections, len(waiting))):
        one = socket.create_connection((parts.hostname, parts.port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.sendall(waiting.popleft())
        chooser.register(one, selectors.EVENT_READ, [time.monotonic(), b""])
    while chooser.get_map():
        ready = chooser.select(PATIENCE_SECONDS)
        assert ready, f"no answer for {PATIENCE_SECONDS:.0f} s"
        for key, _ in ready:
            _read(key, chooser, waiting, times)
    return Load(time.monotonic() - begun, times)


def _read(key, chooser, waiting, times) -> None:
    sent_at, before = key.data
    answer = before + key.fileobj.recv(65536)
    if b"\r\n\r\n" not in answer:
        assert answer != before, "the server closed the connection"
        key.data[1] = answer
        return
    assert answer.startswith(b"HTTP/1.1 2"), answer[:200]
    times.append(time.monotonic() - sent_at)
    if waiting:
        key.fileobj.sendall(waiting.popleft())
        key.data[:] = [time.monotonic(), b""]
    else:
        chooser.unregister(key.fileobj)
        key.fileobj.close()
