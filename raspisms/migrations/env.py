"""Alembic's entry: migrates the database of the current application."""

from alembic import context

from raspisms import models  # noqa: F401 - so that the metadata is complete
from raspisms.extensions import db
from raspisms.storage.types import Euros, Foreign, ForeignText, UTCDateTime


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
    """The search index is not a table that models know: see messages.search."""
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
        # A table that is written anew is dropped in between: what refers to it must not go with it. SQLite takes this
        # only outside of a transaction, and gives it back to the next user of the connection as it was.
        driver = connection.connection.driver_connection
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with context.begin_transaction():
                context.run_migrations()
                if is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                    raise RuntimeError(f"a row of {broken[0]} refers to nothing in {broken[2]}")
        finally:
            if is_sqlite:
                driver.execute("PRAGMA foreign_keys = ON")


run()
