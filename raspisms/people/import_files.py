"""The file of an import: kept in pieces until the import is done with, since it may be read once more."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import Import, ImportPiece, ImportState
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction

# A file is kept in pieces of this many bytes, and so many of them are forgotten at once.
PIECE_BYTES, PIECES = 256 * 1024, 8


def keep(import_id: int, content: bytes) -> None:
    """Keep a file as it came."""
    stride = Stride(PIECES, most=PIECES)
    for start in range(0, len(content), PIECE_BYTES):
        with bulk_step(stride) as (session, _):
            piece = {"import_id": import_id, "content": content[start : start + PIECE_BYTES]}
            session.execute(insert(ImportPiece), [piece])


def content(import_id: int) -> bytes:
    """The file as it came."""
    pieces = select(ImportPiece.content).where(ImportPiece.import_id == import_id).order_by(ImportPiece.id)
    return b"".join(db.session.scalars(pieces))


def is_kept(session: Session, import_id: int) -> bool:
    """Whether the file is still there."""
    return session.scalar(select(ImportPiece.id).where(ImportPiece.import_id == import_id).limit(1)) is not None


def forget(import_id: int) -> None:
    """Drop it, in short transactions."""
    while True:
        with transaction(bulk=True) as session:
            some = select(ImportPiece.id).where(ImportPiece.import_id == import_id).limit(PIECES)
            gone = session.execute(delete(ImportPiece).where(ImportPiece.id.in_(some)))
        if not gone.rowcount:  # type: ignore[attr-defined]
            return


def kept() -> list[int]:
    """Imports that keep a file."""
    return list(db.session.scalars(select(ImportPiece.import_id).distinct()))


def of_others(states: Collection[ImportState]) -> list[int]:
    """Imports that keep a file though they are in none of these states."""
    query = select(ImportPiece.import_id).join(Import).where(Import.state.not_in(states)).distinct()
    return list(db.session.scalars(query))
