"""What hangs is replaced, what loops is told, and a stranger's job is none."""

import json
import os
import pickle
import signal
import sys
import time
from datetime import timedelta

import pytest
from redis import Redis
from rq import Queue

from raspisms.extensions import bell
from raspisms.job_queue import DRAIN, SERIALIZER
from raspisms.jobs import ListedJob, NotListed
from raspisms.operations import health
from raspisms.supervisor.pulse import beat
from raspisms.supervisor.watch import Service, Supervisor
from raspisms.supervisor.workers import Worker
from tests.factories import LEA, until
from tests.tree import Tree, children


@pytest.fixture
def watch(monkeypatch):
    """Supervisor services until something is seen; nothing stays."""
    monkeypatch.setattr("raspisms.supervisor.watch.LONGEST_DELAY", 0.1)
    monkeypatch.setattr("raspisms.supervisor.watch.FIRST_DELAY", 0.05)
    monkeypatch.setattr("raspisms.supervisor.watch.PROBE_SECONDS", 0.1)

    def watch(*services, seen, tell=lambda _: None):
        def look(self):
            signal.sigtimedwait((signal.SIGCHLD,), 0.05)
            return seen()

        monkeypatch.setattr(Supervisor, "_stop_asked", look)
        previous = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:
            Supervisor(services, tell).run(lambda: None)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, previous)

    return watch


def within(seconds, condition):
    ends = time.monotonic() + seconds

    def look():
        assert time.monotonic() < ends, "nothing happened"
        return condition()

    return look


def alive():
    while True:
        beat()
        time.sleep(0.05)


def hangs():
    beat()
    signal.pause()


def test_who_falls_silent_is_replaced_and_who_beats_is_not(watch):
    silent = Service("silent", hangs, patience=0.5)
    steady = Service("steady", alive, patience=0.5)
    pids = set()

    def seen():
        pids.add(silent.pid)
        return len(pids - {0}) > 2

    watch(silent, steady, seen=within(20, seen))
    assert steady.deaths == 0


def test_a_program_that_is_not_ours_is_asked(watch):
    answers = [True, True, False]
    asked = []

    def probe():
        asked.append(1)
        return answers[min(len(asked), 3) - 1]

    program = Service("program", signal.pause, patience=0.5, probe=probe)
    watch(program, seen=within(20, lambda: program.deaths > 0))
    assert len(asked) > 3


def test_who_dies_at_once_is_mended_and_told(watch):
    told, mended = [], []
    loop = Service("loop", lambda: None, mend=lambda: mended.append(1))
    watch(loop, seen=within(20, lambda: ["loop"] in told), tell=told.append)
    assert told[0] == []
    assert mended


IMPATIENT = """
from raspisms.supervisor.services import PATIENCE
from raspisms.cli import main
PATIENCE |= {"web": 8.0, "callbacks": 8.0, "queue": 8.0}
main(prog_name="raspisms")
"""


@pytest.mark.tree
@pytest.mark.parametrize("name", ["web", "callbacks", "queue"])
def test_a_service_that_hangs_is_replaced(tmp_path, name):
    tree = Tree(tmp_path, RASPISMS_WORKERS="1")
    tree.program = (sys.executable, "-c", IMPATIENT)
    tree.start()
    try:
        before = tree.service(name)
        for pid in [*children(before), before]:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: tree.service(name) not in (None, before), 60, f"another {name}")
        until(tree.is_ready, 30)
        assert f"{name} gives no sign of life" in tree.log.read_text()
        tree.add_phone()
        [sent] = tree.send(LEA)
        tree.await_status(sent, "delivered")
    finally:
        tree.stop()


# -- what people are told -------------------------------------------------------------------------------


@pytest.fixture
def look(app, client, monkeypatch):
    """The pages, told what is wrong as if they had been up for a while."""
    monkeypatch.setattr(health, "LOOK_SECONDS", 0)
    monkeypatch.setattr(health, "GRACE_SECONDS", -1)
    connection = app.extensions["bell"]
    with app.app_context():
        keys = {name: health.sign(name) for name in health.SILENT}
    for key in keys.values():
        connection.set(key, 1, ex=60)

    def page(path="/"):
        return client.get(path).get_data(as_text=True)

    page.silence = lambda name: connection.delete(keys[name])
    return page


WORDS = {
    "sending": "Aucun processus d’envoi ne tourne",
    "receiving": "Le processus de réception ne tourne pas",
    "clock": "L’horloge de RaspiSMS est arrêtée",
}


def test_all_is_well(look):
    assert "Rien n’attend personne" in look()
    assert not any(words in look(path) for words in WORDS.values() for path in ("/", "/messages/"))


@pytest.mark.parametrize("name", WORDS)
def test_every_page_says_who_is_silent(look, name):
    look.silence(name)
    for path in ("/", "/messages/", "/contacts/", "/conversations/"):
        assert WORDS[name] in look(path)
        assert "relancez-le" in look(path)
    assert "Rien n’attend personne" not in look()


def test_every_page_says_that_the_queue_is_away(app, look):
    alive, app.extensions["bell"] = app.extensions["bell"], Redis.from_url("unix:///nonexistent/valkey.sock")
    try:
        assert "La file d’attente ne répond pas" in look("/messages/")
    finally:
        app.extensions["bell"] = alive


def test_every_page_says_that_a_service_loops(app, look, tmp_path):
    file = app.extensions["watch"]._loops
    file.write_text(json.dumps(["callbacks"]))
    assert "s’arrête dès qu’il démarre" in look("/messages/")
    file.unlink()
    assert "s’arrête dès qu’il démarre" not in look("/messages/")


def test_a_queue_that_is_away_is_one_line_of_the_log(app, caplog):
    with app.app_context():
        assert bell.ring("sending", DRAIN, 1, timeout=10)  # nothing was said before
        alive, app.extensions["bell"] = app.extensions["bell"], Redis.from_url("unix:///nonexistent/valkey.sock")
        try:
            for _ in range(20):
                assert not bell.ring("sending", DRAIN, 1, timeout=10)
        finally:
            app.extensions["bell"] = alive
        assert len([one for one in caplog.records if "out of reach" in one.message]) == 1
        assert bell.ring("sending", DRAIN, 1, timeout=10)


# -- a stranger at the queue -----------------------------------------------------------------------------


def job(app, name, *args, **more):
    connection = app.extensions["bell"]
    return Queue("x", connection=connection, serializer=SERIALIZER, job_class=ListedJob).create_job(name, args, **more)


def test_only_our_own_jobs_are_run_and_only_with_ids(app):
    assert job(app, DRAIN, 1).func.__name__ == "drain"
    for name, args in (("os.system", ("true",)), ("raspisms.jobs.NotListed", ()), (DRAIN, ("1",)), (DRAIN, (True,))):
        with pytest.raises(NotListed):
            job(app, name, *args).func  # noqa: B018 - it raises
    with pytest.raises(NotListed):
        job(app, DRAIN, kwargs={"account_id": 1}).func  # noqa: B018


def test_nothing_is_called_after_a_job(app):
    mine = job(app, DRAIN, 1)
    mine._success_callback_name = mine._failure_callback_name = mine._stopped_callback_name = "os.abort"
    assert (mine.success_callback, mine.failure_callback, mine.stopped_callback) == (None, None, None)


def test_a_pickle_in_the_queue_is_not_read(app, run_jobs, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    with app.app_context():
        connection, name = app.extensions["bell"], bell.own("sending")
    mine = job(app, DRAIN, 1)
    mine.save()
    connection.hset(mine.key, "data", pickle.dumps(Bomb()))
    connection.rpush(f"rq:queue:{name}", mine.id)
    run_jobs()
    assert not (tmp_path / "exploded").exists()


def test_a_sign_of_life_follows_work(app, monkeypatch):
    monkeypatch.setattr(health, "SHOW_SECONDS", 0.02)
    works, looks = [True], []
    with app.app_context():
        key = health.sign(health.CLOCK)
    health.show_while(app, health.CLOCK, lambda: looks.append(1) or works[0])
    until(lambda: app.extensions["bell"].get(key), 5, "a sign")
    works[0] = False
    seen = len(looks) + 1  # one look may have begun before
    until(lambda: len(looks) > seen, 5, "looks at somebody who does not work")
    app.extensions["bell"].delete(key)
    seen = len(looks) + 3
    until(lambda: len(looks) > seen, 5, "more of them")
    assert app.extensions["bell"].get(key) is None
    monkeypatch.setattr(health, "SHOW_SECONDS", 3600)


def test_a_job_beyond_its_limit_is_ended_from_outside(app, monkeypatch):
    """Whatever holds its interpreter: here all of it is stopped, so that its own limit cannot end it."""
    from rq.worker import worker_classes

    pid = os.fork()
    if not pid:
        while True:
            signal.pause()
    os.setpgid(pid, pid)  # from here, before anything: a job's whole group is ended, and ours must not be that
    os.kill(pid, signal.SIGSTOP)
    with app.app_context():
        worker = Worker([bell.own("sending")], app.extensions["bell"])
    worker.job_monitoring_interval = 1
    worker._horse_pid = pid
    mine = job(app, DRAIN, 1, timeout=1)
    began = worker_classes.now()
    times = iter([began])
    monkeypatch.setattr(worker_classes, "now", lambda: next(times, began + timedelta(seconds=1 + 60 + 1)))
    worker.monitor_work_horse(mine, Queue(worker.queue_names()[0], connection=worker.connection), Execution())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


class Execution:
    """What RQ keeps of a job under way."""

    id = "none"
