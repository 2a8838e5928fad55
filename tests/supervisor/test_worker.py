"""`raspisms worker`: what a second machine needs before it may help."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from raspisms import create_worker_app
from raspisms.config import load
from tests import factories
from tests.databases import PostgreSQL
from tests.factories import until
from tests.tree import Tree

pytestmark = pytest.mark.tree
SECRET = "a secret for tests only, long enough"


@pytest.fixture
def postgresql(database):
    """A server: machines cannot share a file."""
    if isinstance(database, PostgreSQL):
        yield database
        return
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture
def shared(tmp_path, postgresql, queue_server, octopush):
    """What two machines have in common, with a phone."""
    environ = postgresql.migrated(None) | {
        "RASPISMS_REDIS_URL": queue_server,
        "RASPISMS_SECRET_KEY": SECRET,
        "RASPISMS_OCTOPUSH_URL": octopush.url,
    }
    app = create_worker_app(load(environ | {"RASPISMS_INSTANCE": str(tmp_path / "first")}))
    app.extensions["bell"].flushall()
    with app.app_context():
        app.phone = factories.phone()
        factories.db.session.remove()
    yield app, environ
    with app.app_context():
        factories.db.session.remove()
        factories.db.engine.dispose()
    app.extensions["bell"].close()
    postgresql.forget(environ)


@contextmanager
def second_machine(folder, environ):
    tree = Tree(folder, **environ, RASPISMS_WORKERS="1")
    tree.up = subprocess.Popen([sys.executable, "-m", "raspisms", "worker"], env=tree.environ)
    try:
        until(lambda: tree.service("sender-1"), 20, "a worker")
        yield tree
    finally:
        assert tree.stop() == 0
        assert tree.processes() == []


def test_a_second_machine_sends_what_the_first_accepted(tmp_path, shared, octopush):
    app, environ = shared
    with second_machine(tmp_path / "second", environ):
        [sent] = factories.post(app, app.phone)
        until(lambda: factories.message(app, sent).status.value == "sent", 20, "a sent message")
    assert len(octopush.messages) == 1


def refused(tmp_path, environ):
    tree = Tree(tmp_path / "second", **environ)
    done = subprocess.run(
        [sys.executable, "-m", "raspisms", "worker"],
        env=tree.environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def test_what_must_be_shared_is_named(tmp_path, shared):
    _, environ = shared
    del environ["RASPISMS_REDIS_URL"]
    environ["RASPISMS_SECRET_KEY"] = ""
    assert "RASPISMS_REDIS_URL, RASPISMS_SECRET_KEY" in refused(tmp_path, environ)


def test_another_secret_is_noticed_before_it_does_harm(tmp_path, shared):
    app, environ = shared
    said = refused(tmp_path, environ | {"RASPISMS_SECRET_KEY": "another secret for tests, long enough"})
    assert "RASPISMS_SECRET_KEY" in said
    assert factories.fresh_phone(app, app.phone).can_send


def test_a_database_that_does_not_answer_is_named(tmp_path, shared):
    _, environ = shared
    gone = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"
    said = refused(tmp_path, environ | {"RASPISMS_DATABASE_URL": gone})
    assert "RASPISMS_DATABASE_URL" in said
    assert "Traceback" not in said
