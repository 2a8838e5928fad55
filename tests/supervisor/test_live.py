"""Open pages are told what changes, by ids only; nobody holds a thread, whatever they do with their connection."""

import json
import re
import socket
import threading

import pytest
import requests

from raspisms import create_worker_app
from raspisms.config import load
from raspisms.live import changes
from raspisms.live.streams import gather
from tests.factories import PASSWORD, until
from tests.tree import Tree

pytestmark = pytest.mark.tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = Tree(tmp_path_factory.mktemp("live"), RASPISMS_WORKERS="1")
    tree.start()
    tree.add_phone()
    yield tree
    assert tree.stop() == 0


@pytest.fixture(scope="module")
def session(tree):
    """The first administrator's browser."""
    session, link = requests.Session(), until(tree.setup_link)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', session.get(link).text).group(1)
    form = {"email": "lea@exemple.fr", "password": PASSWORD, "repeated": PASSWORD, "csrf_token": token}
    assert session.post(link, data=form).status_code == 200
    return session


class Stream(threading.Thread):
    """What one open page hears."""

    def __init__(self, tree, session):
        super().__init__(daemon=True)
        self.heard, self.ended = [], False
        self.answer = session.get(f"{tree.url}/live", stream=True, timeout=60)
        assert self.answer.status_code == 200
        self.start()

    def run(self):
        for line in self.answer.iter_lines():
            if line.startswith(b"data: "):
                self.heard.append(line.decode())
        self.ended = True


def opened(tree, session):
    """A stream, as soon as the server listens to the queue."""
    until(lambda: session.get(f"{tree.url}/live", stream=True, timeout=5).status_code == 200, what="a stream")
    return Stream(tree, session)


def test_a_stranger_hears_nothing(tree):
    assert requests.get(f"{tree.url}/live", timeout=5).status_code == 403


def test_what_changes_is_told_by_ids_and_never_by_words(tree, session):
    stream = opened(tree, session)
    tree.control(
        "replies", login="mairie@example.org", number="+33639987001", to="+33755551111", text="secret et privé"
    )
    until(lambda: any("received" in one for one in stream.heard), what="the news")
    assert not [one for one in stream.heard if "secret" in one or "63998" in one]


def test_fifty_tabs_leave_the_pages_their_threads(tree, session):
    streams = [opened(tree, session) for _ in range(50)]
    assert session.get(f"{tree.url}/messages/", timeout=5).status_code == 200
    with create_worker_app(load(tree.settings())).app_context():
        changes.publish({"topics": {"phones": [1]}})
    until(lambda: all(any("phones" in one for one in stream.heard) for stream in streams), what="all of them")


def test_half_a_request_keeps_nobody_waiting(tree, session):
    silent = []
    for _ in range(20):
        one = socket.create_connection(("127.0.0.1", tree.port))
        one.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na=")
        silent.append(one)
    assert requests.get(f"{tree.url}/health/live", timeout=5).status_code == 200
    assert session.get(f"{tree.url}/messages/", timeout=5).status_code == 200
    for one in silent:
        one.close()


def test_a_large_file_still_arrives_whole(tree, session):
    page = session.get(f"{tree.url}/imports/new").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1)
    lines = ["nom;portable", *(f"Personne {n};06{n:08}" for n in range(60_000))]
    files = {"file": ("liste.csv", "\n".join(lines).encode())}
    answer = session.post(
        f"{tree.url}/imports/new", data={"csrf_token": token}, files=files, allow_redirects=False, timeout=30
    )
    assert answer.status_code == 302, answer.text
    until(lambda: "60000" in re.sub(r"\D", "", session.get(f"{tree.url}{answer.headers['Location']}").text), 30)


def test_streams_end_with_the_queue_server_and_come_back_with_it(tree, session):
    import os
    import signal

    stream = opened(tree, session)
    os.kill(tree.service("queue"), signal.SIGKILL)
    until(lambda: stream.ended, what="the end of the stream")
    again = opened(tree, session)
    with create_worker_app(load(tree.settings())).app_context():
        until(lambda: changes.publish({"topics": {"campaigns": [7]}}) or any("campaigns" in one for one in again.heard))


def test_what_happens_together_is_told_together():
    events = [
        {"topics": {"messages": [1], "conversations": [5]}},
        {"typing": {"conversation": 5, "user": 1, "name": "léa"}},
        {"topics": {"messages": [2], "conversations": []}},
        {"topics": {"conversations": [6]}},
    ]
    told = gather(json.loads(json.dumps(events)))
    assert told[0] == {"topics": {"messages": [1, 2], "conversations": []}}  # none named: many
    assert told[1:] == [events[1]]
