"""Words in all texts: an index that the clock brings up to date, and a look at what it has not reached yet.

On SQLite the index is FTS5 without a copy of the texts; on PostgreSQL, a table of tsvectors. Sending
writes nothing into it: a hundred thousand messages are accepted as fast as without it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from time import monotonic, sleep
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import Message
from ..sms.folding import fold
from ..storage.transactions import transaction

# What is indexed in one transaction, and what is looked through beyond the index.
CHUNK = 500
BREATH_SECONDS = 0.01
TAIL = 5_000
WORDS = 8
EXCERPT = 90


def catch_up(seconds: float = 1.0) -> bool:
    """Index what was written since, for so long at most; True when there is more to do."""
    ends = monotonic() + seconds
    while monotonic() < ends:
        with transaction(bulk=True) as session:
            done = _index(session, _last(session))
        if done < CHUNK:
            return False
        sleep(BREATH_SECONDS)  # whoever waits for the write lock gets it
    return True


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _last(session: Session) -> int:
    """The newest message that the index holds."""
    table = (
        "SELECT max(id) FROM message_words_docsize"
        if _is_sqlite(session)
        else "SELECT max(message_id) FROM message_words"
    )
    return session.scalar(text(table)) or 0


def _index(session: Session, last: int) -> int:
    """Index the next messages after `last`: how many. Call inside a transaction."""
    query = select(Message.id, Message.text).where(Message.id > last).order_by(Message.id).limit(CHUNK)
    rows = session.execute(query).all()
    if not rows:
        return 0
    if _is_sqlite(session):
        statement = "INSERT INTO message_words(rowid, text) VALUES (:id, :folded)"
    else:
        statement = "INSERT INTO message_words(message_id, words) VALUES (:id, to_tsvector('simple', :folded))"
    session.execute(text(statement), [{"id": row.id, "folded": _folded(row.text)} for row in rows])
    return len(rows)


def _folded(words: str) -> str:
    """The words that a search is made of, as it folds its own: "m²" is found as "m2", "Straße" as "strasse".

    The databases fold in ways of their own; PostgreSQL would keep addresses and dates in one piece.
    """
    return " ".join(re.findall(r"\w+", fold(words)))[:100_000]


def forget(session: Session, messages: Collection[Message]) -> None:
    """Take messages that are about to be deleted out of the index. Call inside a transaction."""
    if _is_sqlite(session):
        last = _last(session)
        for message in messages:
            if message.id <= last:
                session.execute(
                    text("INSERT INTO message_words(message_words, rowid, text) VALUES ('delete', :id, :text)"),
                    {"id": message.id, "text": _folded(message.text)},
                )
    elif messages:
        statement = text("DELETE FROM message_words WHERE message_id IN :ids")
        ids = [message.id for message in messages]
        session.execute(statement.bindparams(bindparam("ids", expanding=True)), {"ids": ids})


def words_of(query: str) -> list[str]:
    """The words of a search, without accents or capitals."""
    return re.findall(r"\w+", fold(query))[:WORDS]


def ids(query: str, before: int | None = None, limit: int = 500) -> list[int]:
    """The newest messages whose text has words that begin with each of these, newest first."""
    wanted = words_of(query)
    if not wanted:
        return []
    session = db.session()
    last = _last(session)
    newer = [] if before is not None and before <= last else _unindexed(wanted, last, before)
    return (newer + _indexed(wanted, before, limit))[:limit]


def _unindexed(wanted: list[str], last: int, before: int | None) -> list[int]:
    query = select(Message.id, Message.text).where(Message.id > last)
    if before is not None:
        query = query.where(Message.id < before)
    rows = db.session.execute(query.order_by(Message.id.desc()).limit(TAIL))
    return [row.id for row in rows if has(wanted, row.text)]


def has(wanted: list[str], words: str) -> bool:
    """Whether a text has words that begin with each of these, as `words_of` folds them."""
    there = re.findall(r"\w+", fold(words))
    return all(any(one.startswith(word) for one in there) for word in wanted)


def _indexed(wanted: list[str], before: int | None, limit: int) -> list[int]:
    values: dict[str, Any] = {"before": before if before is not None else 2**62, "limit": limit}
    if _is_sqlite(db.session()):
        values["match"] = " ".join(f'"{word}"*' for word in wanted)
        statement = (
            "SELECT rowid FROM message_words WHERE message_words MATCH :match AND rowid < :before "
            "ORDER BY rowid DESC LIMIT :limit"
        )
    else:
        values["match"] = " & ".join(f"{word}:*" for word in wanted)
        values["before"] = before if before is not None else 2**31 - 1
        statement = (
            "SELECT message_id FROM message_words WHERE words @@ to_tsquery('simple', :match) "
            "AND message_id < :before ORDER BY message_id DESC LIMIT :limit"
        )
    return list(db.session.scalars(text(statement), values))


def marked(words: str, query: str) -> Markup:
    """A stretch of a text around the first word that was searched, with what was found marked."""
    wanted = words_of(query)
    # One folded letter for each letter, so that places in one are places in the other.
    folded = "".join((fold(letter) or " ")[:1] if not letter.isspace() else " " for letter in words)
    spots = [spot for word in wanted for spot in re.finditer(rf"\b{re.escape(word)}", folded)] if wanted else []
    start = max(0, min((spot.start() for spot in spots), default=0) - EXCERPT // 3)
    end = start + EXCERPT
    pieces, position = ["…" if start else ""], start
    for spot in sorted(spots, key=lambda one: one.start()):
        if spot.start() >= position and spot.end() <= end:
            pieces.append(escape(words[position : spot.start()]))
            pieces.append(Markup("<mark>{}</mark>").format(words[spot.start() : spot.end()]))
            position = spot.end()
    pieces += [escape(words[position:end]), "…" if len(words) > end else ""]
    return Markup("").join(pieces)
