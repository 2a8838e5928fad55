"""The real process tree: started, hurt, stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.databases import raw, url_of
from tests.factories import LEA, until
from tests.tree import Tree

pytestmark = pytest.mark.tree


@pytest.fixture
def tree(tmp_path):
    tree = Tree(tmp_path, RASPISMS_WORKERS="1")
    yield tree
    if tree.up and tree.up.poll() is None:
        tree.stop()
    assert until(lambda: tree.processes() == [], 5, "an empty machine")


def test_it_says_where_to_go_and_leaves_nothing_behind(tree):
    tree.start()
    link = until(tree.setup_link, what="the link")
    assert requests.get(link, timeout=5).status_code == 200
    assert f"http://127.0.0.1:{tree.callbacks_port}" in tree.log.read_text()
    assert tree.stop() == 0
    assert tree.processes() == []

    tree.start()
    assert tree.stop(signal.SIGTERM) == 0
    assert tree.processes() == []
    assert "Traceback" not in tree.log.read_text()


def test_the_sandbox_phone_is_there_once(tree):
    for _ in range(2):
        tree.start()
        tree.stop()
    tree.start()
    with raw(url_of(tree.settings())) as database:
        assert database.exec_driver_sql("SELECT adapter FROM phones").all() == [("octopush_sandbox",)]
    [message] = tree.command("send", "--phone", "Bac à sable", "--text", "Bonjour", "--json", LEA)["messages"]
    tree.await_status(message["id"], "delivered")


def again(tree):
    return subprocess.run(
        [sys.executable, "-m", "raspisms", "up"],
        env=tree.environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_second_one_for_the_same_instance_is_refused(tree):
    tree.start()
    second = again(tree)
    assert second.returncode == 1
    assert "tourne déjà" in second.stderr


def test_a_taken_port_is_named(tree, tmp_path):
    tree.start()
    other = Tree(tmp_path / "other")
    other.environ["RASPISMS_PORT"] = str(tree.port)
    refused = again(other)
    assert refused.returncode == 1
    assert f"Le port {tree.port}" in refused.stderr
    assert "RASPISMS_PORT" in refused.stderr


def test_whatever_dies_is_restarted_and_messages_still_pass(tree):
    tree.start()
    tree.add_phone()
    for name in ("web", "callbacks", "receiver", "sender-1", "clock", "queue"):
        before = until(lambda name=name: tree.service(name), what=name)
        os.kill(before, signal.SIGKILL)
        until(lambda name=name, before=before: tree.service(name) not in (None, before), what=f"another {name}")
    until(tree.is_ready, 30)
    [sent] = tree.send(LEA)
    tree.await_status(sent, "delivered")
    assert len(tree.accepted(LEA)) == 1


@pytest.mark.parametrize("victim", ["job", "worker", "both"])
def test_a_kill_during_a_request_sends_once(tree, victim):
    tree.start()
    tree.add_phone()
    tree.control("faults", faults=["hang_after"])
    tree.control("switches", hang=4)
    [sent] = tree.send(LEA)
    until(lambda: len(tree.accepted(LEA)) == 1, what="the accepted request")

    pids = {"job": tree.horses(), "worker": [tree.service("sender-1")]}
    pids["both"] = pids["worker"] + pids["job"]
    for pid in pids[victim]:
        os.kill(pid, signal.SIGKILL)

    found = tree.await_status(sent, "sent", "delivered")
    assert len(tree.accepted(LEA)) == 1
    ids = {request["body"]["request_id"] for request in tree.state()["requests"]}
    assert ids == {found["request_id"]}


def test_a_kill_before_the_request_arrived_sends_once(tree):
    tree.start()
    tree.add_phone()
    tree.control("faults", faults=["hang"])
    tree.control("switches", hang=4)
    [sent] = tree.send(LEA)
    until(lambda: tree.state()["requests"], what="the request")
    assert tree.accepted(LEA) == []
    for pid in [tree.service("sender-1"), *tree.horses()]:
        os.kill(pid, signal.SIGKILL)
    tree.await_status(sent, "delivered")
    assert len(tree.accepted(LEA)) == 1


def test_a_kill_of_the_supervisor_ends_everything_and_a_restart_goes_on(tree):
    tree.start()
    tree.add_phone()
    tree.control("switches", latency=0.5)
    ids = tree.send(*[f"+3363998{n:04d}" for n in range(7001, 7006)])
    os.kill(tree.up.pid, signal.SIGKILL)
    tree.up.wait(5)
    assert until(lambda: tree.processes() == [], 15, "an empty machine")

    # The pretended Octopush forgets when it stops: what it had accepted is asked again here, and what
    # counts is that nothing waits for ever.
    tree.start()
    for sent in ids:
        tree.await_status(sent, "sent", "delivered")


def test_stopping_in_the_middle_of_a_request_waits_for_its_answer(tree):
    tree.start()
    tree.add_phone()
    tree.control("switches", latency=2)
    [sent] = tree.send(LEA)
    until(lambda: tree.state()["requests"], what="the request")
    assert tree.stop() == 0
    assert tree.message(sent)["status"] == "sent"


def test_the_public_port_has_callbacks_and_nothing_else(tree):
    tree.start()
    public = f"http://127.0.0.1:{tree.callbacks_port}"
    phone = tree.add_phone()
    for path in ("/", "/login", "/health/live", "/static/app.js"):
        answer = requests.get(public + path, timeout=5)
        assert (answer.status_code, answer.content) == (404, b"")
    answer = requests.post(phone["callbacks"]["status"], data=b"x", timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    big = requests.post(phone["callbacks"]["status"], data=b"x" * 1024 * 1024, timeout=5)
    assert (big.status_code, big.content) == (413, b"")


def test_names_are_shown_to_whoever_looks(tree):
    tree.start()
    names = {Path(f"/proc/{pid}/comm").read_text().strip() for pid in tree.processes()}
    assert {"rsms:web", "rsms:callbacks", "rsms:receiver", "rsms:sender-1", "rsms:clock", "valkey-server"} <= names


def test_the_demonstration_passes_twice_in_a_row():
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "raspisms", "demo"], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "réponse reçue" in done.stdout


def test_stopping_while_the_provider_hangs_leaves_nothing_behind(tree):
    tree.start()
    tree.add_phone()
    tree.control("faults", faults=["hang_after"])
    tree.control("switches", hang=60)
    tree.send(LEA)
    until(lambda: tree.accepted(LEA), what="the request")
    assert tree.stop() == 0
    assert tree.processes() == []
