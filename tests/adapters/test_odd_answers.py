"""Answers that no honest provider gives: each ends in one of our words for it, and in an outcome that is kept."""

import gzip
import json
import socket
import threading
import time

import pytest

from raspisms.adapters.base import Accepted, AdapterError, AmbiguousError, Batch
from raspisms.adapters.octopush import adapter as octopush_adapter
from raspisms.adapters.octopush import codes
from raspisms.adapters.octopush.adapter import OctopushSettings, OctopushVirtualNumber
from raspisms.sending import claim, lease, outcome
from tests.factories import LEA, message, post

BODY = {"sms_ticket": "sms_1", "total_cost": 0.04, "number_of_sms_needed": 1, "residual_credit": 5}


def http(status=200, body=b"", head="", length=None):
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status} X\r\nContent-Length: {size}\r\n{head}\r\n".encode("latin-1") + body


def says(**more):
    return http(body=json.dumps(BODY | more).encode())


NAIVE = "Retry-After: Wed, 25 Nov 2026 10:00:00 -0000\r\nDate: Wed, 25 Nov 2026 09:59:00 GMT\r\n"
ANSWERS = {
    "patience until a date without a zone": http(429, b"{}", NAIVE),
    "a success with one": http(200, json.dumps(BODY).encode(), NAIVE),
    "patience in superscript": http(429, b"{}", "Retry-After: \xb2\r\n"),
    "patience for ever": http(429, b"{}", "Retry-After: " + "9" * 400 + "\r\n"),
    "negative patience": http(429, b"{}", "Retry-After: -5\r\n"),
    "a code of 5,000 digits": http(400, b'{"code": "' + b"9" * 5000 + b'"}'),
    "a number of 5,000 digits": http(400, b'{"code": ' + b"9" * 5000 + b"}"),
    "a code that is a list": http(400, b'{"code": [1], "message": {"a": 1}}'),
    "nested lists": http(200, b"[" * 30_000),
    "nested objects": http(400, b'{"a":' * 9000 + b"1" + b"}" * 9000),
    "a ticket that is a list": says(sms_ticket=["a"]),
    "a ticket that is true": says(sms_ticket=True),
    "half a character": http(body=b'{"sms_ticket":"\\ud800x"}'),
    "a long ticket": says(sms_ticket="x" * 10_000),
    "NUL in the ticket": says(sms_ticket="a\0b"),
    "a cost beyond all money": says(total_cost=1e30),
    "no number as cost": http(body=b'{"sms_ticket":"t","total_cost":NaN}'),
    "an endless cost": http(body=b'{"sms_ticket":"t","total_cost":"1e400"}'),
    "a negative cost": says(total_cost=-3),
    "endless parts": http(body=b'{"sms_ticket":"t","number_of_sms_needed":"1e400"}'),
    "parts and a half": says(number_of_sms_needed=1.5),
    "credit beyond all money": says(residual_credit=1e25),
    "nothing": b"",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "a status line only": b"HTTP/1.1 200 OK\r\n",
    "cut off": http(200, b'{"sms_ticket":', length=500),
    "bad gzip": http(200, b"xxxxxx", "Content-Encoding: gzip\r\n"),
    "good gzip": http(200, gzip.compress(json.dumps(BODY).encode()), "Content-Encoding: gzip\r\n"),
    "a bomb": http(200, gzip.compress(b" " * 50_000_000), "Content-Encoding: gzip\r\n"),
    "bad chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\nabc",
    "a length that is a word": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n{}",
    "status 999": http(999, b"{}"),
    "UTF-16": http(200, json.dumps(BODY).encode("utf-16")),
    "a hundred headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}",
    "words that are a list": http(400, json.dumps({"message": ["x" * 100] * 300, "code": 1340}).encode()),
    "an odd cookie": http(200, json.dumps(BODY).encode(), "Set-Cookie: \xff=\xff; Max-Age=99999999999999999999\r\n"),
}


class Provider:
    """Gives one answer to whoever comes, byte by byte if told to."""

    def __init__(self, answer, pause=0.0):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(8)
        self.answer, self.pause, self.ended = answer, pause, threading.Event()
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/v1/public"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65_536)
                    for piece in (
                        [self.answer[i : i + 1] for i in range(len(self.answer))] if self.pause else [self.answer]
                    ):
                        connection.sendall(piece)
                        if self.pause and self.ended.wait(self.pause):
                            return
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(0.5)
                    connection.recv(10)
                except OSError:
                    continue

    def close(self):
        self.ended.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def provider():
    made = []

    def provider(answer, pause=0.0):
        made.append(Provider(answer, pause))
        return made[-1]

    yield provider
    for one in made:
        one.close()


def submit(url):
    adapter = OctopushVirtualNumber(OctopushSettings("a@b.c", "k", "+33755551111"), url)
    try:
        return adapter.submit(Batch("x", (LEA,), "alert", "r1"))
    except AdapterError as error:
        return error
    finally:
        adapter.http.session.close()


@pytest.mark.parametrize("name", ANSWERS)
def test_an_odd_answer_has_an_outcome(app, phone, provider, monkeypatch, name):
    monkeypatch.setattr(octopush_adapter, "SEND_READ_SECONDS", 3.0)
    result = submit(provider(ANSWERS[name]).url)
    assert isinstance(result, Accepted | AdapterError)
    if isinstance(result, Accepted):
        assert result.provider_id
        assert result.cost is None or result.cost >= 0
    [sent] = post(app, phone)
    with app.app_context():
        assert lease.take(phone.account_id)
        outcome.record(claim.next_claim(phone.account_id).submission_id, result)
    assert message(app, sent).events[-1].status is not None


@pytest.mark.parametrize("answer", [says(), b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90], ids=["a body", "headers"])
def test_a_byte_now_and_then_does_not_defeat_the_limit(provider, monkeypatch, answer):
    monkeypatch.setattr(octopush_adapter, "SEND_READ_SECONDS", 0.5)
    begun = time.monotonic()
    assert isinstance(submit(provider(answer, pause=0.1).url), AmbiguousError)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("code", "read"), [(182.0, 182), ("182", 182), (" 182 ", 182), ("0182", 182), ("²", 0), (True, 0)]
)
def test_codes_are_read_as_they_come(code, read):
    assert codes.code_of({"code": code}) == read


def test_what_an_adapter_did_not_foresee_was_perhaps_sent(app, phone, octopush, run_jobs, monkeypatch):
    def breaks(_self, _batch):
        raise ZeroDivisionError

    monkeypatch.setattr(OctopushVirtualNumber, "submit", breaks)
    [sent] = post(app, phone)
    run_jobs()
    found = message(app, sent)
    assert found.submission.maybe_sent
    assert "inattendue" in found.events[-1].reason
