"""Edges of the pages: numbers that no database counts to, addresses with line ends, hosts that are not ours."""

from datetime import timedelta

import pytest

from raspisms import create_app
from raspisms.clock import now
from raspisms.models import Role
from raspisms.operations import health
from tests.factories import PASSWORD, csrf, user

FAR = 9223372036854775808


@pytest.mark.parametrize("path", ["/messages/", "/messages/sent.csv", "/conversations/", "/statistics/", "/contacts/"])
@pytest.mark.parametrize("name", ["phone", "campaign", "before", "after", "chosen"])
def test_a_number_that_no_database_counts_to_is_none(client, path, name):
    for number in (FAR, -FAR * 4, "9" * 5000):
        answer = client.get(f"{path}?{name}={number}")
        assert answer.status_code in (200, 302, 404)
        assert answer.get_data() is not None  # a list that is made while it is read is read to its end


@pytest.mark.parametrize(
    "target", ["/x%0d%0aSet-Cookie:%20a=b", "/x%0a", "/%09/evil.example", "//evil.example", "/x%00"]
)
def test_an_address_with_a_line_end_is_no_place_to_go_to(app, visitor, target):
    user(app, "zoe@example.org", Role.MEMBER)
    form = {"email": "zoe@example.org", "password": PASSWORD, "csrf_token": csrf(visitor, "/login")}
    answer = visitor.post(f"/login?next={target}", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("path", ["/contacts", "/messages", "//messages/", "/phones"])
def test_a_redirection_names_no_server(client, path):
    answer = client.get(path, headers={"Host": "evil.example"})
    assert answer.status_code in (302, 308)
    assert "evil.example" not in answer.headers["Location"]
    assert answer.headers["Location"].startswith("/")


def test_a_cookie_lasts_whatever_the_clock_says(app, visitor):
    user(app, "zoe@example.org", Role.MEMBER)
    form = {"email": "zoe@example.org", "password": PASSWORD, "csrf_token": csrf(visitor, "/login")}
    cookie = visitor.post("/login", data=form).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    seconds = int(cookie.partition("Max-Age=")[2].partition(";")[0])
    assert timedelta(days=30) < timedelta(seconds=seconds) <= timedelta(days=31)


def test_a_clock_that_is_far_behind_is_told_before_anybody_signs_in(client, visitor, monkeypatch):
    assert "en retard" not in visitor.get("/login").text
    monkeypatch.setattr(health, "RELEASED", now() + timedelta(days=1))
    monkeypatch.setattr(health, "LOOK_SECONDS", 0)
    assert "L’horloge de cette machine est en retard" in visitor.get("/login").text
    assert "L’horloge de cette machine est en retard" in client.get("/messages/").text


def test_behind_a_proxy_each_person_has_their_own_patience(settings):
    app = create_app(settings | {"PROXIES": 1, "RATELIMIT_ENABLED": True})
    visitor = app.test_client()
    form = {"email": "x@example.org", "password": "wrong", "csrf_token": csrf(visitor, "/login")}
    tries = [visitor.post("/login", data=form, headers={"X-Forwarded-For": "203.0.113.7"}) for _ in range(11)]
    assert tries[-1].status_code == 429
    # What a guesser writes in front of it changes nothing, and somebody else is not kept waiting.
    forged = visitor.post("/login", data=form, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
    assert forged.status_code == 429
    other = visitor.post("/login", data=form, headers={"X-Forwarded-For": "203.0.113.8"})
    assert other.status_code == 400
    app.extensions["bell"].close()


def test_without_a_proxy_what_a_guesser_says_of_themselves_is_nothing(settings):
    app = create_app(settings | {"RATELIMIT_ENABLED": True})
    visitor = app.test_client()
    form = {"email": "x@example.org", "password": "wrong", "csrf_token": csrf(visitor, "/login")}
    tries = [visitor.post("/login", data=form, headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(11)]
    assert tries[-1].status_code == 429
    app.extensions["bell"].close()


def test_pages_work_below_a_path(settings, app, alice):
    below = create_app(settings | {"PROXIES": 1})
    visitor = below.test_client()
    headers = {"X-Forwarded-Prefix": "/sms"}
    answer = visitor.get("/messages/?q=x", headers=headers)
    assert answer.headers["Location"] == "/sms/login?next=/sms/messages/?q%3Dx"
    page = visitor.get("/login", headers=headers).text
    assert 'src="/sms/static/' in page
    assert 'href="/static' not in page
    below.extensions["bell"].close()
