"""Delivers callbacks at their time, as the provider would, and notes how they were received."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import requests

THREADS = 8
# Octopush wants an empty answer within a second (§7.3).
PATIENCE = 1.0


class Repeats(Protocol):
    """What is asked of the switches: how often a delivery that fails is tried again."""

    retries: int


class CallbackPoster:
    """One thread that waits for the next delivery, and a few that make them."""

    def __init__(self, lock: threading.RLock, switches: Callable[[], Repeats]) -> None:
        self.lock = lock
        self.switches = switches
        self.deliveries: list[dict[str, Any]] = []
        self._heap: list[tuple[float, int, dict[str, Any]]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="callbacks")
        self._local = threading.local()
        self._closed = False
        threading.Thread(target=self._run, name="callbacks", daemon=True).start()

    def post(self, url: str, body: bytes, content_type: str | None, *, delay: float = 0.0) -> None:
        """Post `body` to `url` in `delay` seconds; an account without a URL gets nothing, as in life."""
        if not url:
            return
        callback = {"url": url, "body": body, "content_type": content_type, "left": self.switches().retries}
        with self._wake:
            heapq.heappush(self._heap, (time.monotonic() + delay, next(self._order), callback))
            self._wake.notify()

    def close(self) -> None:
        """Deliver nothing more."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._closed and (not self._heap or self._heap[0][0] > time.monotonic()):
                    wait = self._heap[0][0] - time.monotonic() if self._heap else None
                    self._wake.wait(wait)
                if self._closed:
                    return
                callback = heapq.heappop(self._heap)[2]
            self._pool.submit(self.deliver, callback)

    def deliver(self, callback: dict[str, Any]) -> dict[str, Any]:
        """Post one callback now; what became of it."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        headers = {"Content-Type": callback["content_type"]}  # None sends no such header
        started = time.monotonic()
        note: dict[str, Any] = {"url": callback["url"], "body": callback["body"].decode("utf-8", "replace")}
        try:
            answer = self._local.session.post(
                callback["url"], data=callback["body"], headers=headers, timeout=10, allow_redirects=False
            )
            note |= {"status": answer.status_code, "empty": answer.content == b""}
        except requests.RequestException as error:
            note |= {"status": 0, "empty": False, "error": type(error).__name__}
        note["seconds"] = round(time.monotonic() - started, 4)
        note["conforming"] = note["status"] // 100 == 2 and note["empty"] and note["seconds"] < PATIENCE
        with self.lock:
            self.deliveries.append(note)
        if note["status"] // 100 != 2 and callback["left"] > 0:
            with self._wake:
                callback = callback | {"left": callback["left"] - 1}
                heapq.heappush(self._heap, (time.monotonic() + 0.2, next(self._order), callback))
                self._wake.notify()
        return note
