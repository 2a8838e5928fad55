from redis import Redis

from raspisms.extensions import bell
from raspisms.operations import health
from raspisms.supervisor.workers import Worker
from tests.databases import break_down, locked, shorten_patience


def words(visitor):
    answer = visitor.get("/health/ready")
    return answer.status_code, {name: check["status"] for name, check in answer.json["checks"].items()}


def test_live_is_always_there(visitor, app):
    assert visitor.get("/health/live").json == {"status": "pass", "new_installation": True}


def test_without_a_worker_it_is_not_ready(visitor):
    assert words(visitor) == (503, {"database": "pass", "queue": "pass", "worker": "fail"})


def test_with_a_worker_it_is(app, visitor):
    with app.app_context():
        worker = Worker([bell.own("sending")], connection=app.extensions["bell"])
        worker.sign = health.sign("sending")
    worker.register_birth()
    worker.heartbeat()
    assert words(visitor) == (200, {"database": "pass", "queue": "pass", "worker": "pass"})

    assert 0 < app.extensions["bell"].ttl(worker.sign) <= health.SIGN_SECONDS  # it ends by itself
    app.extensions["bell"].delete(worker.sign)
    assert words(visitor)[1]["worker"] == "fail"


def test_a_missing_queue_is_named(app, visitor):
    alive, app.extensions["bell"] = app.extensions["bell"], Redis.from_url("unix:///nonexistent/valkey.sock")
    assert words(visitor) == (503, {"database": "pass", "queue": "fail", "worker": "fail"})
    app.extensions["bell"].close()
    app.extensions["bell"] = alive


def test_a_database_that_takes_no_write_is_named(app, visitor):
    shorten_patience(app)
    with locked(app.config["SQLALCHEMY_DATABASE_URI"]):
        assert words(visitor)[1]["database"] == "fail"
    assert words(visitor)[1]["database"] == "pass"


def test_a_page_says_so_when_nothing_can_be_read(app, client):
    break_down(app.config["SQLALCHEMY_DATABASE_URI"])
    answer = client.get("/messages/")
    assert answer.status_code == 503
    assert "ne répond pas" in answer.text
