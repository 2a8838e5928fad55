"""Web Push, against a browser's maker of our own: told once, in quiet, and nothing of what was said."""

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select, update

from raspisms.adapters.base import Reply
from raspisms.clock import now
from raspisms.extensions import bell, db
from raspisms.models import JournalEntry, Mailing, Phone, PushSubscription, Role, User
from raspisms.notices import pushing
from raspisms.receiving import replies
from raspisms.scheduler import steps
from raspisms.storage.transactions import transaction
from raspisms.team import opening_hours
from tests import factories
from tests.factories import LEA, csrf

AUTH = b"0123456789abcdef"
REAL = "https://updates.push.services.mozilla.com/wpush/v2/abc"


def written(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Maker:
    """Where a browser is told; what it got, as the browser reads it."""

    def __init__(self):
        self.status, self.heard = 201, []
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.keys = {"p256dh": written(point), "auth": written(AUTH)}
        maker = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said = http_ece.decrypt(body, private_key=maker.key, auth_secret=AUTH, version="aes128gcm")
                maker.heard.append((self.headers["Authorization"], json.loads(said)))
                self.send_response(maker.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments):
                """Tests are quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/push/1"

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def maker(monkeypatch):
    made = Maker()
    monkeypatch.setattr(pushing, "MAKERS", re.compile(r"127\.0\.0\.1:\d+"))
    monkeypatch.setattr(pushing, "SCHEME", "http")
    yield made
    made.stop()


@pytest.fixture
def here(app, phone, alice):
    with app.app_context():
        yield db.session.get(Phone, phone.id)
        db.session.rollback()


def hears(phone, text="Un secret"):
    with transaction() as session:
        entry = JournalEntry(phone=phone, phone_id=phone.id, kind="reception", body=b"", received_at=now())
        session.add(entry)
        session.flush()
        return replies.apply(session, entry, Reply(LEA, text, "", "", now()))


def subscribe(client, maker, **changes):
    form = {"csrf_token": csrf(client, "/profile/"), "endpoint": maker.url, **maker.keys}
    return client.post("/profile/push", data=form | changes)


def subscriptions():
    return list(db.session.scalars(select(PushSubscription).execution_options(populate_existing=True)))


def test_a_browser_is_told_once_and_learns_no_text(here, client, maker):
    hears(here, "d’avant")
    assert subscribe(client, maker).status_code == 200
    assert subscribe(client, maker).status_code == 200
    assert len(subscriptions()) == 1
    pushing.work()
    assert maker.heard == [], "only of what comes in from now on"
    hears(here)
    assert pushing.is_due()
    pushing.work()
    pushing.work()
    assert not pushing.is_due()
    [(authorization, said)] = maker.heard
    assert said == {"unread": 2}
    assert authorization.startswith("vapid t=")
    assert f"k={pushing.public_key()}" in authorization
    assert maker.url not in subscriptions()[0].sealed


def test_the_clock_rings_for_it(here, client, maker, monkeypatch):
    rung = []
    monkeypatch.setattr(bell, "ring", lambda queue, job, **_more: rung.append(job))
    subscribe(client, maker)
    steps.ring_for_browsers()
    hears(here)
    steps.ring_for_browsers()
    assert rung == ["raspisms.jobs.push"]


@pytest.mark.parametrize(("mailing", "is_open", "told"), [("OPEN", False, 0), ("CLOSED", True, 0), ("NEVER", False, 1)])
def test_it_is_quiet_when_the_persons_e_mails_are(here, client, maker, monkeypatch, mailing, is_open, told):
    subscribe(client, maker)
    with transaction() as session:
        session.execute(update(User).values(mail_received=Mailing[mailing]))
    monkeypatch.setattr(opening_hours, "is_open", lambda *_asked: is_open)
    hears(here)
    pushing.work()
    assert len(maker.heard) == told
    assert not pushing.is_due(), "what came in while it was quiet is not told in a heap later"


@pytest.mark.parametrize(("status", "left"), [(404, 0), (410, 0), (429, 1), (500, 1)])
def test_a_browser_that_is_gone_is_forgotten(here, client, maker, status, left):
    subscribe(client, maker)
    maker.status = status
    hears(here)
    pushing.work()
    assert len(maker.heard) == 1
    assert len(subscriptions()) == left
    assert not pushing.is_due()


def test_a_maker_that_cannot_be_reached_stops_nobody(here, client, maker):
    subscribe(client, maker, endpoint="http://127.0.0.1:9/push")
    subscribe(client, maker)
    hears(here)
    pushing.work()
    assert len(maker.heard) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "http://updates.push.services.mozilla.com/a"},
        {"endpoint": "https://192.168.1.1/"},
        {"endpoint": "https://fcm.googleapis.com.evil.example/"},
        {"endpoint": "https://fcm.googleapis.com@evil.example/"},
        {"endpoint": "https://fcm.googleapis.com:8080/"},
        {"endpoint": ""},
        {"p256dh": "<b>"},
        {"auth": ""},
    ],
)
def test_only_makers_of_browsers_are_asked(here, client, changes):
    form = {"csrf_token": csrf(client, "/profile/"), "endpoint": REAL, "p256dh": "A" * 87, "auth": "A" * 22}
    assert client.post("/profile/push", data=form).status_code == 200
    answer = client.post("/profile/push", data=form | changes)
    assert answer.status_code == 400
    assert answer.json["error"]
    assert len(subscriptions()) == 1


def test_a_browser_can_be_left_alone_again_and_goes_to_who_signs_in_there(app, client, maker):
    bob = factories.user(app, "bob@example.org", Role.MEMBER)
    subscribe(client, maker)
    subscribe(factories.signed_in(app, bob), maker)
    with app.app_context():
        assert [one.user_id for one in subscriptions()] == [bob.id]
    form = {"csrf_token": csrf(client, "/profile/"), "endpoint": maker.url}
    assert client.post("/profile/push/forget", data=form).status_code == 204
    with app.app_context():
        assert subscriptions() == []


def test_a_person_has_few_browsers_and_takes_them_away_when_they_go(here, client, maker):
    for n in range(pushing.MOST + 3):
        subscribe(client, maker, endpoint=f"{maker.url}{n}")
    assert len(subscriptions()) == pushing.MOST
    with transaction() as session:
        session.delete(session.get(User, subscriptions()[0].user_id))
    assert subscriptions() == []
