"""Server-sent events beside the pages: one connection to the queue server feeds every open tab.

A stream held by a thread would take it from the pages, so streams live in the event loop of the same process and
the pages keep their threads. A stream carries ids only (see changes.py); what a page then shows, it asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any

import redis.asyncio
from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi import build_environ
from flask import Flask
from flask_login import current_user
from redis.exceptions import RedisError

from ..job_queue import owned
from ..machine import front
from ..machine.front import Receive, Scope, Send
from .changes import CHANNEL, MANY

log = logging.getLogger(__name__)

PATH = "/live"
# An empty word now and then: a proxy does not think the stream dead, a page knows that it is not, and one that left
# is noticed.
HEARTBEAT_SECONDS = 15.0
# What happens within this time is told together: a campaign changes more often than anybody can look.
GATHER_SECONDS = 0.1
RECONNECT_SECONDS = 2.0
MOST_STREAMS = 500
# Somebody who was signed out, or whose password changed, hears no more after this long.
RECHECK_SECONDS = 60.0
# Open tabs of one person; the one that was opened first makes room.
MOST_OF_ONE = 150
PIECE_BYTES = 64 * 1024


class Hub:
    """Hears what changed and tells every stream. While the queue server is away, streams end: pages then poll."""

    def __init__(self, redis_url: str, channel: str) -> None:
        self.redis_url, self.channel = redis_url, channel
        self.streams: dict[asyncio.Queue[bytes | None], int] = {}
        """Each with the id of the person who looks."""
        self.hears = False
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen, in the loop that this is called in."""
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(self._listen())

    async def stop(self) -> None:
        """End every stream, and stop listening."""
        self._end_streams()
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                log.info("the queue server is away, open pages poll: %s", type(error).__name__)
            finally:
                self.hears = False
                self._end_streams()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hear(self) -> None:
        async with (
            redis.asyncio.Redis.from_url(self.redis_url, health_check_interval=30) as connection,
            connection.pubsub(ignore_subscribe_messages=True) as channel,
        ):
            await channel.subscribe(self.channel)
            self.hears = True
            while True:
                events = []
                message = await channel.get_message(timeout=HEARTBEAT_SECONDS)
                while message is not None:
                    events.append(json.loads(message["data"]))
                    message = await channel.get_message(timeout=GATHER_SECONDS)
                    if len(events) >= MANY:
                        break
                if any("bye" in event for event in events):
                    return  # a server stops: streams end, and whoever goes on listens again
                for event in gather(events):
                    self._tell(b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n")

    def _tell(self, event: bytes) -> None:
        for stream in self.streams:
            if stream.full():  # nobody reads it: the page will come back and ask for everything
                with contextlib.suppress(asyncio.QueueEmpty):
                    while True:
                        stream.get_nowait()
                stream.put_nowait(None)
            else:
                stream.put_nowait(event)

    def join(self, stream: asyncio.Queue[bytes | None], user_id: int) -> None:
        """Tell this stream, too; of a person who has too many, the oldest ends."""
        mine = [other for other, owner in self.streams.items() if owner == user_id]
        for other in mine[: max(0, len(mine) - MOST_OF_ONE + 1)]:
            self.leave(other)
            if not other.full():
                other.put_nowait(None)
        self.streams[stream] = user_id

    def leave(self, stream: asyncio.Queue[bytes | None]) -> None:
        """Tell this stream no more."""
        self.streams.pop(stream, None)

    def _end_streams(self) -> None:
        for stream in self.streams:
            if not stream.full():
                stream.put_nowait(None)


def gather(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was told within a moment, as few events as can be: topics as one, who types one by one."""
    topics: dict[str, set[int] | None] = {}
    for event in events:
        for topic, ids in event.get("topics", {}).items():
            known = topics.setdefault(topic, set())
            if not ids:
                topics[topic] = None  # many
            elif known is not None:
                known.update(ids)
    gathered: list[dict[str, Any]] = []
    if topics:
        gathered.append({"topics": {topic: sorted(ids) if ids else [] for topic, ids in topics.items()}})
    return gathered + [event for event in events if "typing" in event]


class Application:
    """The pages, in threads, and the streams, in the event loop: what granian serves."""

    def __init__(self, app: Flask, threads: int, largest_body: Callable[[], int]) -> None:
        """`largest_body` says how many bytes the present request may have."""
        self.app = app
        self.largest_body = largest_body
        self.pages = WSGIMiddleware(app, workers=threads)  # type: ignore[arg-type]
        self.room = front.Room()
        self.large: Counter[str] = Counter()
        self.hub = Hub(app.config["REDIS_URL"], owned(app.config["NAMESPACE"], CHANNEL))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET":
            await self._stream(scope, receive, send)
        else:
            await self._page(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page has a thread only once its request is whole: who sends half of one keeps nobody waiting."""
        if scope["type"] != "http":
            return
        with SpooledTemporaryFile(max_size=front.IN_MEMORY_BYTES) as body:
            try:
                await self._take(scope, receive, body)
            except front.Refused as error:
                await front.refuse(send, error.status)
            else:
                whole_scope = front.settled(scope, body)
                body.seek(0)
                await self.pages(whole_scope, _given(body), _coroutine(send))  # type: ignore[arg-type]

    async def _take(self, scope: Scope, receive: Receive, body: front.Body) -> None:
        """The request's body. Who wants to send more than a form's worth is asked who they are first.

        Raises front.Refused.
        """
        address = front.address_of(scope, self.app.config["PROXIES"])
        is_chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        if not is_chunked and (front.declared_length(scope) or 0) <= front.STRANGERS_BYTES:
            await front.whole(scope, receive, body, self.room, address, front.STRANGERS_BYTES)
            return
        loop = asyncio.get_running_loop()
        person, limit = await loop.run_in_executor(self.pages.executor, self._largest_body, scope)
        if limit <= front.STRANGERS_BYTES:
            await front.whole(scope, receive, body, self.room, address, limit)
            return
        if self.large.total() >= front.MOST_LARGE or self.large[person] >= front.MOST_LARGE_OF_ONE:
            raise front.Refused(503)
        self.large[person] += 1
        try:
            await front.whole(scope, receive, body, self.room, address, limit, front.LIST_SECONDS)
        finally:
            self.large[person] -= 1

    def _largest_body(self, scope: Scope) -> tuple[str, int]:
        """Who sends it, and the bytes that it may have."""
        with self.app.request_context(build_environ(scope, None)):  # type: ignore[arg-type]
            return str(current_user.get_id()), self.largest_body()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.hub.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.hub.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.hub.start()
        loop = asyncio.get_running_loop()
        user_id = await loop.run_in_executor(self.pages.executor, self._who, scope)
        if user_id is None:
            await front.refuse(send, 403)
            return
        if not self.hub.hears or len(self.hub.streams) >= MOST_STREAMS:
            await front.refuse(send, 503)
            return
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        stream: asyncio.Queue[bytes | None] = asyncio.Queue(100)
        self.hub.join(stream, user_id)
        leaving = loop.create_task(_until_gone(receive))
        try:
            await self._feed(stream, leaving, send, scope)
        finally:
            leaving.cancel()
            self.hub.leave(stream)

    async def _feed(
        self, stream: asyncio.Queue[bytes | None], leaving: asyncio.Task[None], send: Send, scope: Scope
    ) -> None:
        loop = asyncio.get_running_loop()
        checked = loop.time()
        await send({"type": "http.response.body", "body": b": hello\n\n", "more_body": True})
        while not leaving.done():
            try:
                event = await asyncio.wait_for(stream.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                event = b"data: {}\n\n"
            if loop.time() - checked > RECHECK_SECONDS:
                checked = loop.time()
                if await loop.run_in_executor(self.pages.executor, self._who, scope) is None:
                    event = None
            if event is None:
                break
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _who(self, scope: Scope) -> int | None:
        """Id of the person who is signed in: the same session that the pages ask for."""
        with self.app.request_context(build_environ(scope, None)):  # type: ignore[arg-type]
            return current_user.id if current_user.is_authenticated else None


HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


def _given(body: front.Body) -> Receive:
    """What a2wsgi asks for, piece by piece."""

    async def receive() -> MutableMapping[str, Any]:
        piece = body.read(PIECE_BYTES)
        return {"type": "http.request", "body": piece, "more_body": len(piece) == PIECE_BYTES}

    return receive


def _coroutine(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Granian gives futures where a2wsgi, as most, expects coroutines."""

    async def call(*arguments: Any) -> Any:
        return await function(*arguments)

    return call


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
