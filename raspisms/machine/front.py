"""What stands between the network and Flask's threads: a request goes in once it is whole, and no sooner.

Whoever sends half of one, slowly or never the rest, waits in the event loop, which costs a few kilobytes and no
thread, for so long and no longer. A body that ends before its time was never sent, whatever the server makes of it.
"""

from __future__ import annotations

import asyncio
import io
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from tempfile import SpooledTemporaryFile
from typing import Any

from a2wsgi.wsgi import build_environ
from flask import Flask

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Body = SpooledTemporaryFile[bytes] | io.BytesIO

# What is stored within this time is told about once.
GATHER_SECONDS = 0.05
# In an environ: where a view may leave what is to be stored before its answer is sent.
CALLBACKS = "raspisms.callbacks"
# Of whom we know nothing.
STRANGERS_BYTES = 64 * 1024
IN_MEMORY_BYTES = 256 * 1024
# For so long may a body of a stranger be under way, and one of somebody who is signed in: a list over a slow WiFi.
BODY_SECONDS = 10.0
LIST_SECONDS = 120.0
# So many bodies wait for their rest, and so many large ones are kept, at once and of one person.
MOST_WAITING = 500
MOST_LARGE, MOST_LARGE_OF_ONE = 6, 2
# Who is told that it was too much is listened to a little longer: many hear nothing before they have said all.
FAREWELL_BYTES, FAREWELL_SECONDS = 512 * 1024, 1.0


class Refused(Exception):
    """The request is answered without Flask; `status` says how."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Cut(Exception):
    """The request ended before it was whole: the sender is gone, or says nothing more."""


class Room:
    """Where requests wait for the rest of their body. When it is full, the oldest of the busiest address leaves."""

    def __init__(self, places: int = MOST_WAITING) -> None:
        self._places = places
        self._waiting: dict[str, deque[asyncio.Timeout]] = {}
        self._counts: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, address: str, seconds: float) -> AsyncIterator[asyncio.Timeout]:
        """A place for so long. Raises TimeoutError when time is over, or when somebody else needs it more."""
        if self._counts.total() >= self._places:
            self._show_out()
        async with asyncio.timeout(seconds) as mine:
            self._waiting.setdefault(address, deque()).append(mine)
            self._counts[address] += 1
            try:
                yield mine
            finally:
                self._leave(address, mine)

    def _show_out(self) -> None:
        address, _ = self._counts.most_common(1)[0]
        oldest = self._waiting[address][0]
        self._leave(address, oldest)
        if not oldest.expired():
            oldest.reschedule(asyncio.get_running_loop().time())

    def _leave(self, address: str, one: asyncio.Timeout) -> None:
        waiting = self._waiting.get(address)
        if waiting is None or one not in waiting:
            return  # shown out before
        waiting.remove(one)
        self._counts[address] -= 1
        if not waiting:
            del self._waiting[address], self._counts[address]


def address_of(scope: Scope, proxies: int) -> str:
    """Who asks, as the outermost proxy that we trust saw them."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if proxies:
        told = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = [one.strip() for one in b",".join(told).decode("latin-1").split(",") if one.strip()]
        if len(hops) >= proxies:
            return hops[-proxies]
    return address


def declared_length(scope: Scope) -> int | None:
    """The length of the body, as its sender says; None when they do not say. Raises Refused."""
    told = {value for name, value in scope["headers"] if name == b"content-length"}
    if not told:
        return None
    [length, *others] = told
    if others or not length.isdigit():
        raise Refused(400)
    return int(length)


async def take(receive: Receive, body: Body, limit: int, length: int | None) -> None:
    """Read a whole body into a file. Raises Refused when it is too large, and Cut when it is not whole."""
    if length is not None and length > limit:
        raise Refused(413)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Cut
        body.write(message.get("body", b""))
        if body.tell() > limit:
            raise Refused(413)
        if body.tell() == length or not message.get("more_body", False):
            break  # all that was declared is there: no need to hear that nothing follows
    if length is not None and body.tell() != length:
        raise Cut


async def whole(
    scope: Scope, receive: Receive, body: Body, room: Room, address: str, limit: int, seconds: float = BODY_SECONDS
) -> None:
    """The whole body of a request of at most so many bytes. Raises Refused."""
    try:
        length = declared_length(scope)
        async with room.place(address, seconds):
            await take(receive, body, limit, length)
    except TimeoutError:
        raise Refused(408) from None
    except Cut:
        raise Refused(400) from None
    except Refused as error:
        if error.status == 413:
            await _hear_out(receive)
        raise


def settled(scope: Scope, body: Body) -> Scope:
    """The scope of a request that is whole: its length is known now, however it was sent, and its query is ASCII.

    Flask would take a body without a length for none at all, and a2wsgi a raw accent in a query for an error.
    """
    length = str(body.tell()).encode()
    kept = [one for one in scope["headers"] if one[0] not in (b"content-length", b"transfer-encoding")]
    query = "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in scope["query_string"])
    return {**scope, "headers": [*kept, (b"content-length", length)], "query_string": query.encode("ascii")}


async def _hear_out(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            left = FAREWELL_BYTES
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    break


async def refuse(send: Send, status: int) -> None:
    """An empty answer, and the end of the connection."""
    headers = [(b"cache-control", b"no-store"), (b"content-length", b"0"), (b"connection", b"close")]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class Together:
    """Stores what comes at the same time in one go, in a thread of its own: one commit for all who wait.

    Some moments after the first of them, `tell` is called, for all that were stored meanwhile.
    """

    def __init__(self, store: Callable[[list[Any]], None], tell: Callable[[], None]) -> None:
        self._store, self._tell, self._will_tell = store, tell, False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storing")
        self._teller = ThreadPoolExecutor(1, thread_name_prefix="telling")
        self._waiting: list[tuple[list[Any], asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, things: list[Any]) -> None:
        """Return once they are stored. Raises what storing raised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((things, done))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        await done

    async def _work(self) -> None:
        try:
            await self._store_all()
        finally:
            self._task = None

    async def _store_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            together, self._waiting = self._waiting, []
            everything = [thing for things, _ in together for thing in things]
            storing = loop.run_in_executor(self._thread, self._store, everything)
            await asyncio.wait([storing])
            error = storing.exception()  # each of them is told
            if error is None and not self._will_tell:
                self._will_tell = True
                loop.call_later(GATHER_SECONDS, self._tell_now)
            for _, done in together:
                if done.done():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def _tell_now(self) -> None:
        self._will_tell = False
        self._teller.submit(self._tell)


class Callbacks:
    """The public application: what granian serves on the callbacks' port. An ASGI application.

    What `is_quick` says of an environ is answered here and now, its callbacks stored together with those of others;
    whatever may wait for the database has a thread.
    """

    def __init__(
        self,
        app: Flask,
        threads: int,
        limit: int,
        is_quick: Callable[[Any], bool],
        store: Callable[[list[Any]], None],
        tell: Callable[[], None],
    ) -> None:
        self.app, self._limit, self._is_quick = app, limit, is_quick
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="callbacks")
        self._together = Together(store, tell)
        self._room = Room()
        self._proxies: int = app.config["PROXIES"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer once the request is whole."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            body = io.BytesIO()
            try:
                address = address_of(scope, self._proxies)
                await whole(scope, receive, body, self._room, address, self._limit)
            except Refused as error:
                await refuse(send, error.status)
            else:
                await self._answer(scope, body, send)

    async def _answer(self, scope: Scope, body: io.BytesIO, send: Send) -> None:
        whole_scope = settled(scope, body)
        body.seek(0)
        environ = build_environ(whole_scope, body)  # type: ignore[arg-type]
        if self._is_quick(environ):
            callbacks: list[Any] = []
            environ[CALLBACKS] = callbacks  # type: ignore[literal-required]
            status, headers, content = self._ask(environ)
            try:
                if callbacks:
                    await self._together.put(callbacks)
            except OSError:
                await refuse(send, 503)
                return
        else:
            loop = asyncio.get_running_loop()
            status, headers, content = await loop.run_in_executor(self._threads, self._ask, environ)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content, "more_body": False})

    def _ask(self, environ: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """The whole answer: they are all short."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            started[:] = [int(status[:3]), [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers]]

        answer: Iterable[bytes] = self.app(environ, start_response)
        try:
            content = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return started[0], started[1], content


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
