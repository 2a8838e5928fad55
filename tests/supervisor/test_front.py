"""The two ports against people who send half of things, many things, or nothing: whoever else asks is served."""

import gzip
import json
import re
import resource
import socket
import time
import zlib
from contextlib import contextmanager

import pytest
import requests

from raspisms.live.streams import MOST_OF_ONE
from raspisms.machine.front import BODY_SECONDS, STRANGERS_BYTES
from raspisms.supervisor.web_server import HEADER_SECONDS
from tests.databases import raw, url_of
from tests.factories import LEA, PASSWORD, until
from tests.tree import NUMBER, Tree

pytestmark = pytest.mark.tree

WHOLE = "Je viens sauf si je suis malade"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))
    tree = Tree(tmp_path_factory.mktemp("front"), RASPISMS_WORKERS="1")
    tree.start()
    tree.phone = tree.add_phone()
    yield tree
    assert tree.stop() == 0


@pytest.fixture(scope="module")
def session(tree):
    """The first administrator's browser."""
    session, link = requests.Session(), until(tree.setup_link)
    form = {"email": "lea@exemple.fr", "password": PASSWORD, "repeated": PASSWORD}
    assert session.post(link, data=form | {"csrf_token": token_of(session.get(link))}).status_code == 200
    return session


def token_of(answer):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text).group(1)


def path_of(tree, kind="reception"):
    return tree.phone["callbacks"][kind].partition(str(tree.callbacks_port))[2]


def reply(text=WHOLE, at="2026-11-26 05:00:00"):
    said = {"number": LEA, "sim_card_number": NUMBER, "reception_date": at, "text": text}
    return json.dumps(said, ensure_ascii=False).encode()


def texts(tree):
    with raw(url_of(tree.settings())) as database:
        rows = database.exec_driver_sql("SELECT text FROM messages WHERE direction = 'in' ORDER BY id").all()
    return [row[0] for row in rows]


@contextmanager
def many(port, number, *, say=b""):
    """So many connections that say the same and no more."""
    opened = []
    try:
        for _ in range(number):
            one = socket.create_connection(("127.0.0.1", port), timeout=10)
            if say:
                one.sendall(say)
            opened.append(one)
        yield opened
    finally:
        for one in opened:
            one.close()


def served(url, seconds=5):
    begun = time.monotonic()
    answer = requests.get(url, timeout=seconds)
    return answer.status_code, time.monotonic() - begun


def cut_bodies(body):
    head = "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    length = f"Content-Length: {len(body)}\r\n\r\n"
    chunks = b"%x\r\n%s\r\n" % (len(body) - 20, body[:-20])
    return {
        "in the middle of a length": (head + length, body[:-20]),
        "before anything": (head + length, b""),
        "in the middle of a chunk": (head + "Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % len(body) + body[:-20]),
        "between two chunks": (head + "Transfer-Encoding: chunked\r\n\r\n", chunks),
    }


@pytest.mark.parametrize("end", ["half", "whole"])
@pytest.mark.parametrize("where", list(cut_bodies(b"x" * 40)))
def test_a_body_that_breaks_is_not_applied_as_if_whole(tree, where, end):
    form = f"number=%2B{LEA[1:]}&reception_date=2026-11-26+05%3A00%3A01&text=Je+viens+sauf+si+je+suis+malade".encode()
    for body in (form, reply(at="2026-11-26 05:00:02")):
        head, sent = cut_bodies(body)[where]
        with socket.create_connection(("127.0.0.1", tree.callbacks_port), timeout=10) as one:
            one.sendall(head.format(path=path_of(tree)).encode() + sent)
            if end == "half":
                one.shutdown(socket.SHUT_WR)
                assert b" 200 " not in one.recv(4096)
    mark = f"Entier {where} {end}"
    assert requests.post(tree.phone["callbacks"]["reception"], data=reply(mark), timeout=5).status_code == 200
    until(lambda: mark in texts(tree), what="the next reply")
    assert not any(text.startswith("Je viens") for text in texts(tree))


SHAPES = {
    "pieces": lambda post, body: post(data=iter([body[:10], body[10:]])),
    "a trailing slash": lambda post, body: post(path="{path}/", data=body),
    "double slashes": lambda post, body: post(path="/{path}", data=body),
    "PUT": lambda post, body: post(method="PUT", data=body),
    "gzip": lambda post, body: post(data=gzip.compress(body), headers={"Content-Encoding": "gzip"}),
    "gzip that nothing tells": lambda post, body: post(data=gzip.compress(body)),
    "deflate": lambda post, body: post(data=zlib.compress(body), headers={"Content-Encoding": "deflate"}),
    "raw deflate": lambda post, body: post(data=zlib.compress(body)[2:-4], headers={"Content-Encoding": "deflate"}),
    "JSON called multipart": lambda post, body: post(data=body, headers={"Content-Type": "multipart/form-data"}),
    "JSON called text": lambda post, body: post(data=body, headers={"Content-Type": "text/plain"}),
    "an envelope": lambda post, body: post(data=b'{"data": %s}' % body),
    "an envelope of a list": lambda post, body: post(data=b'{"id": 7, "data": [%s]}' % body),
    "PHP's brackets": lambda post, body: post(
        data={f"data[0][{key}]": value for key, value in json.loads(body).items()}
    ),
    "a field that holds it all": lambda post, body: post(data={"payload": body}),
    "a line each": lambda post, body: post(data=body + b"\n" + body + b"\n"),
    "a list with holes": lambda post, body: post(data=b'[%s, null, "x", %s]' % (body, body)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_it_is_wrapped_in_it_arrives_once(tree, shape):
    def post(method="POST", path="{path}", **more):
        url = f"http://127.0.0.1:{tree.callbacks_port}{path.format(path=path_of(tree))}"
        return requests.request(method, url, timeout=5, allow_redirects=False, **more)

    answer = SHAPES[shape](post, reply(f"Par {shape}"))
    assert (answer.status_code, answer.content) == (200, b"")
    until(lambda: f"Par {shape}" in texts(tree), what=shape)
    assert texts(tree).count(f"Par {shape}") == 1


def test_raw_accents_in_a_query_are_a_callback_too(tree):
    query = f"number=%2B{LEA[1:]}&sim_card_number=%2B{NUMBER[1:]}&reception_date=2026-11-26%2005:00:09&text=Été"
    with socket.create_connection(("127.0.0.1", tree.callbacks_port), timeout=10) as one:
        one.sendall(f"GET {path_of(tree)}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert b" 200 " in one.recv(4096)
    until(lambda: "Été" in texts(tree), what="the text of the query")


def test_a_form_in_pieces_arrives_on_the_pages(tree, session):
    token = token_of(session.get(f"{tree.url}/contacts/new", timeout=5))
    body = f"csrf_token={token}&name=En+morceaux&number=0639987055&version=".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = session.post(f"{tree.url}/contacts/new", data=iter([body[:30], body[30:]]), headers=headers, timeout=10)
    assert answer.status_code == 200
    with raw(url_of(tree.settings())) as database:
        assert database.exec_driver_sql("SELECT count(*) FROM contacts WHERE name = 'En morceaux'").scalar() == 1


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET"])
def test_a_robot_that_only_looks_leaves_nothing(tree, method):
    answer = requests.request(method, tree.phone["callbacks"]["status"], timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_thousand_half_sent_bodies_leave_others_served(tree):
    for path in (path_of(tree), "/callbacks/wrong/status"):
        say = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{{".encode()
        with many(tree.callbacks_port, 1000, say=say) as opened:
            for n in range(10):
                mark = f"Pendant {n} {path[-9:]}"
                begun = time.monotonic()
                posted = requests.post(tree.phone["callbacks"]["reception"], data=reply(mark), timeout=5)
                assert posted.status_code == 200
                assert time.monotonic() - begun < 3
            # Their time ends, too: each is told, and its connection closed.
            assert until(lambda opened=opened: is_closed(opened[0]), BODY_SECONDS + 5, "an end")
    until(lambda: "Pendant 9 ng/status" in texts(tree), what="the last of them")


def is_closed(one):
    one.settimeout(0.2)
    try:
        return one.recv(4096) == b"" or None
    except TimeoutError:
        return None
    except OSError:
        return True


def test_silent_connections_block_neither_port(tree, session):
    with many(tree.callbacks_port, 1100) as first, many(tree.port, 2048) as second:
        assert served(tree.phone["callbacks"]["status"])[0] == 200
        assert served(f"{tree.url}/login")[0] == 200
        for opened in (first, second):
            assert until(lambda opened=opened: is_closed(opened[0]), HEADER_SECONDS + 5, "an end")


def test_half_headers_block_nobody(tree):
    with many(tree.port, 1000, say=b"GET / HTTP/1.1\r\nHost: x\r\nX: ") as opened:
        assert served(f"{tree.url}/login")[0] == 200
        assert until(lambda: is_closed(opened[0]), HEADER_SECONDS + 5, "an end")


@pytest.mark.parametrize("path", ["/login", "/imports/new", "/nothing"])
def test_a_stranger_s_body_ends_early_and_is_told(tree, path):
    for more in ({"data": b"x" * (STRANGERS_BYTES + 1)}, {"data": iter([b"x" * 60_000] * 20)}):
        answer = requests.post(tree.url + path, timeout=10, **more)
        assert answer.status_code == 413
        assert answer.headers["Connection"] == "close"


def test_strangers_in_pieces_take_no_place_from_whom_brings_a_list(tree, session):
    say = b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nemail\r\n"
    with many(tree.port, 20, say=say):
        token = token_of(session.get(f"{tree.url}/contacts/new", timeout=5))
        body = f"csrf_token={token}&name=Avec+eux&number=0639987066&version=".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = session.post(f"{tree.url}/contacts/new", data=iter([body]), headers=headers, timeout=10)
        assert answer.status_code == 200


ODD = [
    b"GET /callbacks/\xff\xfe/status?\xff=\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /callbacks/%ff%00/status HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /callbacks/x/status HTTP/1.1\r\nHost: x\r\nX-\xc3\xa9: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /callbacks/x/status HTTP/1.1\r\nHost: x\r\nContent-Type: \xff\r\nContent-Length: 2\r\n\r\n{}",
    b"DELETE /callbacks/x/status HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"BREW / HTTP/1.1\r\nHost: \xff\r\nX-Forwarded-For: \xff\r\n\r\n",
]


@pytest.mark.parametrize("asked", ODD)
def test_whatever_a_stranger_asks_the_answer_is_empty(tree, asked):
    with socket.create_connection(("127.0.0.1", tree.callbacks_port), timeout=10) as one:
        one.sendall(asked.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        heard = b""
        while piece := one.recv(4096):
            heard += piece
    head, _, body = heard.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4"), heard
    assert body == b""


def test_ten_strangers_fill_no_disk(tree):
    say = b"POST /imports/new HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n" + b"x" * 50_000
    with many(tree.port, 10, say=say):
        assert served(f"{tree.url}/login")[0] == 200


def test_somebody_who_is_signed_in_brings_a_list_in(tree, session):
    page = session.get(f"{tree.url}/imports/new", timeout=5)
    rows = "numero;nom\n" + "".join(f"06{n:08d};Personne {n}\n" for n in range(12_000_000, 12_020_000))
    answer = session.post(
        f"{tree.url}/imports/new",
        data={"csrf_token": token_of(page), "origin": "la mairie", "consent": "oui"},
        files={"file": ("liste.csv", rows.encode())},
        timeout=60,
    )
    assert answer.status_code == 200
    assert "/imports/" in answer.url


def test_one_person_takes_not_all_streams(tree, session):
    until(lambda: session.get(f"{tree.url}/live", stream=True, timeout=5).status_code == 200, what="a stream")
    cookie = "; ".join(f"{one.name}={one.value}" for one in session.cookies)
    with many(tree.port, MOST_OF_ONE + 10) as opened:
        for one in opened:
            one.sendall(f"GET /live HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
            assert b" 200 " in one.recv(4096)
        for one in opened[:10]:
            assert until(lambda one=one: has_ended(one), 10, "the end of the oldest")
        assert not any(has_ended(one) for one in opened[10:])


def has_ended(one):
    """Whether the last piece of a stream came."""
    one.settimeout(0.02)
    try:
        heard = one.recv(4096)
    except TimeoutError:
        return False
    return heard == b"" or heard.endswith(b"0\r\n\r\n")
