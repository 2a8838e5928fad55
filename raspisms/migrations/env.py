"""Alembic's entry: migrates the database of the current application."""

from alembic import context

from raspisms import models  # noqa: F401 - so that the metadata is complete
from raspisms.database import Euros, Foreign, ForeignText, UTCDateTime
from raspisms.extensions import db


def plain(kind: str, value: object, _autogenerate: object) -> str | bool:
    """Write our own column types as what they are in the database: a migration outlives the code."""
    if kind == "type" and isinstance(value, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(value, Euros):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(value, Foreign):
        return f"sa.String(length={value.length})"
    if kind == "type" and isinstance(value, ForeignText):
        return "sa.Text()"
    return False


def is_ours(_thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """The search index is not a table that models know: see finding.search."""
    return not (kind == "table" and (name or "").startswith("message_words"))


def run() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=plain,
            include_object=is_ours,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
