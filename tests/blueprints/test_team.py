"""Colleagues: invited by a link that serves once, with a right that is given and taken."""

import re

import pytest

from raspisms.extensions import db
from raspisms.models import Role, User
from raspisms.team import users
from tests import factories
from tests.factories import PASSWORD, csrf, read_page

BOB = "bob@exemple.fr"


def invite(client, **form):
    data = {"email": BOB, "role": "member", "csrf_token": csrf(client, "/team/")} | form
    return client.post("/team/", data=data)


def link(page):
    return re.search(r"/welcome/\S+", page.select_one("#link").text).group(0)


def test_a_colleague_is_invited_and_chooses_a_password(app, client, get, visitor):
    assert invite(client).status_code == 302
    page = get("/team/")
    path = link(page)
    assert get("/team/").select_one("#link") is None, "shown once"
    token = csrf(visitor, path)
    wrong = visitor.post(path, data={"csrf_token": token, "password": "court", "repeated": "court"})
    assert "au moins 10" in read_page(wrong, 400).text.replace("\xa0", " ")
    chosen = {"csrf_token": token, "password": PASSWORD, "repeated": PASSWORD}
    assert visitor.post(path, data=chosen).location == "/"
    assert visitor.get("/").status_code == 200, "signed in by that"
    assert client.application.test_client().get(path).status_code == 404, "it serves once"
    with app.app_context():
        assert users.authenticate(BOB, PASSWORD).role is Role.MEMBER
    assert "bob" in get("/team/").text


def test_whoever_forgot_their_password_gets_a_link(app, client, get, visitor):
    bob = factories.user(app, BOB, Role.MEMBER)
    client.post(f"/team/{bob.id}/link", data={"csrf_token": csrf(client, "/team/")})
    path = link(get("/team/"))
    new = "une toute autre phrase"
    visitor.post(path, data={"csrf_token": csrf(visitor, path), "password": new, "repeated": new})
    with app.app_context():
        assert users.authenticate(BOB, new)
        assert not users.authenticate(BOB, PASSWORD)


def test_a_link_is_refused_when_it_is_none_or_too_old(app, client, visitor, monkeypatch):
    bob = factories.user(app, BOB, Role.MEMBER)
    with app.app_context():
        token = users.link_token(db.session.get(User, bob.id))
    assert visitor.get(f"/welcome/{token}").status_code == 200
    for broken in (token[:-4], "x", "é", "%00"):
        assert visitor.get(f"/welcome/{broken}").status_code == 404
    monkeypatch.setattr(users, "LINK_SECONDS", -1)
    assert visitor.get(f"/welcome/{token}").status_code == 404


def test_mistakes_lose_nothing(client, get):
    page = read_page(invite(client, email="bob"), 400)
    assert page.select_one("#email")["value"] == "bob"
    invite(client)
    assert "déjà" in read_page(invite(client), 400).text


@pytest.mark.parametrize("path", ["/team/", "/team/1/link", "/team/1/rights"])
def test_only_administrators(app, alice, path):
    member = factories.signed_in(app, factories.user(app, BOB, Role.MEMBER))
    assert member.get("/team/").status_code == 403
    assert member.post(path, data={"csrf_token": csrf(member, "/profile/")}).status_code == 403
    assert "/team/" not in member.get("/").text
