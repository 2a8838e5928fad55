"""Who is writing an answer at this moment."""

from __future__ import annotations

import json
import time

from redis.exceptions import RedisError

from ..extensions import bell
from .changes import publish

# Somebody who has not typed for so many seconds is not writing any more.
TYPING_SECONDS = 8


def typing(conversation_id: int, user_id: int, name: str) -> None:
    """Somebody is writing an answer: colleagues see it. Never raises."""
    key = bell.own(f"typing:{conversation_id}")
    try:
        with bell.connection.pipeline(transaction=False) as pipe:
            pipe.hset(key, str(user_id), json.dumps([name, time.time() + TYPING_SECONDS]))
            pipe.expire(key, TYPING_SECONDS * 4)
            pipe.execute()
    except (RedisError, OSError):
        return
    publish({"typing": {"conversation": conversation_id, "user": user_id, "name": name}})


def stopped_typing(conversation_id: int, user_id: int) -> None:
    """The answer left, or was given up. Never raises."""
    try:
        bell.connection.hdel(bell.own(f"typing:{conversation_id}"), str(user_id))
    except (RedisError, OSError):
        return
    publish({"typing": {"conversation": conversation_id, "user": user_id, "name": ""}})


def who_is_typing(conversation_id: int, except_user_id: int) -> list[str]:
    """Names of the colleagues who are writing an answer now; none when the queue server is away."""
    try:
        found: dict[bytes, bytes] = bell.connection.hgetall(bell.own(f"typing:{conversation_id}"))  # type: ignore[assignment]
    except (RedisError, OSError):
        return []
    names = []
    for user_id, value in found.items():
        name, until = json.loads(value)
        if int(user_id) != except_user_id and until > time.time():
            names.append(str(name))
    return sorted(names)
