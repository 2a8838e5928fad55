"""The two databases that every promise is kept on: a SQLite file, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from raspisms import create_worker_app
from raspisms.config import load
from raspisms.extensions import db
from raspisms.storage import schema
from raspisms.storage.transactions import WRITERS_LOCK


def migrate(environ):
    """Bring the database of these settings to the newest version."""
    with create_worker_app(load(environ)).app_context():
        schema.upgrade()
        db.engine.dispose()


@contextmanager
def of_version(kind, folder, version):
    """An application on a database as a version of before left it; its context is entered."""
    app = create_worker_app(load(kind.blank(folder) | {"RASPISMS_INSTANCE": str(folder)}))
    with app.app_context():
        command.upgrade(schema.alembic_config(), version)
        yield app
        db.session.remove()
        db.engine.dispose()
    app.extensions["bell"].close()


class SQLite:
    """A migrated file, copied for each test."""

    def __init__(self, folder=None):
        self.folder = folder or Path(tempfile.mkdtemp(prefix="sqlite-"))
        migrate({"RASPISMS_INSTANCE": str(self.folder)})

    def heal(self):
        """There is no server that could have died."""

    def blank(self, instance):
        """Settings for a database with nothing in it."""
        return {}

    def migrated(self, instance):
        """Settings for a database with every table."""
        shutil.copy(self.folder / "raspisms.db", instance / "raspisms.db")
        return {}

    def copy(self, url, path):
        """A copy, made while others write."""
        with sqlite3.connect(make_url(url).database) as source, sqlite3.connect(path) as copy:
            source.backup(copy)
        copy.close()
        source.close()

    def restore(self, url, path):
        """Put a copy in its place: what was written since is gone."""
        file = Path(make_url(url).database)
        for rest in ("-wal", "-shm"):
            file.with_name(file.name + rest).unlink(missing_ok=True)
        shutil.copy(path, file)

    def forget(self, environ):
        """A test is over."""

    def close(self):
        shutil.rmtree(self.folder)


class PostgreSQL:
    """Debian's server, on a socket in a folder of its own; a migrated database is copied for each test."""

    def __init__(self, folder=None):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert found, "the tests on PostgreSQL need its server: apt install postgresql"
        self.programs = found[-1]
        self.folder = folder or Path(tempfile.mkdtemp(prefix="postgresql-"))
        self.numbers = count(1)
        # The server refuses to be root's.
        self.user = "postgres" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self._run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8")
        self.start()
        self._execute("CREATE DATABASE migrated")
        migrate({"RASPISMS_INSTANCE": str(self.folder), "RASPISMS_DATABASE_URL": self.url("migrated")})

    def heal(self):
        """Start the server again if it has ended, as its service manager does."""
        if not self.is_running():
            self.start()

    def is_running(self):
        pid = self.folder / "data" / "postmaster.pid"
        return pid.exists() and Path(f"/proc/{pid.read_text().split()[0]}").exists()

    def start(self):
        settings = f"-F -c listen_addresses= -c unix_socket_directories={self.folder} -c max_connections=200"
        settings += " -c max_wal_size=48MB -c min_wal_size=32MB"  # its log must fit on the small disk of the faults
        self._run("pg_ctl", "start", "--wait", "--silent", "--options", settings, "--log", str(self.folder / "log"))

    def _run(self, program, *arguments):
        command = [self.programs / program, "--pgdata", str(self.folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=self.user, cwd="/", timeout=60)

    def _execute(self, statement):
        with raw(self.url("postgres")) as connection:
            connection.exec_driver_sql(statement)

    def url(self, name):
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def blank(self, instance):
        return self._new("template1")

    def migrated(self, instance):
        """The same one, emptied: an application keeps to its address, and to copy it takes longer than most tests."""
        try:
            self._empty("current")
        except DBAPIError:  # the first time, or after a test that breaks it
            self._execute("DROP DATABASE IF EXISTS current WITH (FORCE)")
            return self._new("migrated", "current")
        return {"RASPISMS_DATABASE_URL": self.url("current")}

    def _empty(self, name):
        """Leave of a migrated database what the migrations left: no row, and sequences that begin at one."""
        with raw(self.url(name)) as connection:
            ask = connection.exec_driver_sql
            ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
            tables = ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^alembic'")
            each = [f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for (table,) in tables]
            used = ask(" UNION ALL ".join(each)).all()
            ask("SET session_replication_role = replica")  # in whatever order: nothing is left that could be pointed at
            for (table,) in used:
                ask(f"DELETE FROM {table}")
            moved = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
            for (sequence,) in ask(moved).all():
                ask(f"ALTER SEQUENCE {sequence} RESTART")

    def _new(self, template, name=None):
        name = name or f"test_{next(self.numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return {"RASPISMS_DATABASE_URL": self.url(name)}

    def copy(self, url, path):
        """A copy, made while others write."""
        self._program("pg_dump", "--format=custom", f"--file={path}", _conninfo(url))

    def restore(self, url, path):
        """Put a copy in its place: what was written since is gone."""
        name = make_url(url).database
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        self._program("pg_restore", "--no-owner", f"--dbname={_conninfo(url)}", str(path))

    def _program(self, name, *arguments):
        subprocess.run([self.programs / name, *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60)

    def forget(self, environ):
        name = environ["RASPISMS_DATABASE_URL"].partition("?")[0].rpartition("/")[2]
        if name == "current":
            return
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self):
        if self.is_running():  # a full disk may have ended it
            self._run("pg_ctl", "stop", "--mode=immediate", "--silent")
        shutil.rmtree(self.folder)


def _conninfo(url):
    """The same database, as PostgreSQL's own programs want to be told."""
    return make_url(url).render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")


KINDS = {"sqlite": SQLite, "postgresql": PostgreSQL}


@contextmanager
def raw(url):
    """A connection that nothing of ours prepared; each statement is its own transaction."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def locked(url):
    """Somebody else writes all this time; readers are not disturbed."""
    with raw(url) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
            connection.exec_driver_sql("LOCK TABLE journal IN EXCLUSIVE MODE")
        yield
        connection.exec_driver_sql("ROLLBACK")


def shorten_patience(app):
    """From now on, a locked database is waited for during a twentieth of a second."""
    _at_every_connection(app, sqlite="PRAGMA busy_timeout = 50", postgresql="SET lock_timeout = 50")


def fill_the_disk(app):
    """From now on this application's database finds no room for another page, as on a full disk."""
    with raw(app.config["SQLALCHEMY_DATABASE_URI"]) as connection:
        if connection.dialect.name == "sqlite":
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            statement = f"PRAGMA max_page_count = {pages}"
        else:
            for made in POSTGRESQL_FULL_DISK:
                connection.exec_driver_sql(made)
            statement = "SET tests.disk_is_full = 'yes'"
    _at_every_connection(app, sqlite=statement, postgresql=statement)


def find_room(app):
    """Undo fill_the_disk and shorten_patience, and begin with new connections."""
    with app.app_context():
        if done := vars(app).pop("every_connection", None):
            event.remove(db.engine, "connect", done)
        db.session.remove()
        db.engine.dispose()


# The server's own words and code for it; a quota on its folder would fill it for every test of the run.
POSTGRESQL_FULL_DISK = (
    """
    CREATE OR REPLACE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('tests.disk_is_full', true) = 'yes' THEN
            RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
        END IF;
        RETURN NEW;
    END $$
    """,
    'CREATE OR REPLACE TRIGGER "full" BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION disk_is_full()',
    'CREATE OR REPLACE TRIGGER "full" BEFORE INSERT ON campaigns FOR EACH ROW EXECUTE FUNCTION disk_is_full()',
    'CREATE OR REPLACE TRIGGER "full" BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION disk_is_full()',
)


def _at_every_connection(app, **statements):
    find_room(app)
    with app.app_context():

        @event.listens_for(db.engine, "connect")
        def say(connection, _record):
            connection.execute(statements[db.engine.dialect.name])
            connection.commit()

        app.every_connection = say


def break_down(url, table="users"):
    """From now on nothing can be read; on SQLite, nothing of one table."""
    if make_url(url).get_backend_name() == "sqlite":
        with raw(url) as connection:
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO elsewhere")
        return
    with raw(make_url(url).set(database="postgres").render_as_string(hide_password=False)) as connection:
        connection.exec_driver_sql(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def url_of(environ):
    """The database that these settings lead to."""
    return load(environ)["SQLALCHEMY_DATABASE_URI"]
