"""The database's version, and how it is brought up to date."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from ..extensions import db

FOLDER = Path(__file__).parent.parent / "migrations"


class Version(Enum):
    """Where a database stands."""

    EMPTY = "no table yet"
    OLD = "needs an upgrade"
    CURRENT = "up to date"
    NEWER = "written by a newer program"


def alembic_config() -> Config:
    """Alembic's configuration, without a file: the folder of migrations is all it needs."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def version() -> Version:
    """Where the current application's database stands."""
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is None and not inspect(connection).get_table_names():
            return Version.EMPTY
    scripts = ScriptDirectory.from_config(alembic_config())
    head = scripts.get_current_head()
    if current is not None and head is not None and current > head:
        return Version.NEWER
    return Version.CURRENT if current == head else Version.OLD


def upgrade() -> None:
    """Bring the current application's database to the newest version."""
    command.upgrade(alembic_config(), "head")
