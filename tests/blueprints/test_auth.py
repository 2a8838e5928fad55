from datetime import timedelta

import pytest

from raspisms.clock import now
from raspisms.models import Role, User
from raspisms.team import users
from tests.factories import PASSWORD, csrf, read_page, sign_in


def test_a_person_signs_in_and_out(client):
    assert client.get("/messages/").status_code == 200
    client.post("/logout", data={"csrf_token": csrf(client, "/profile/")})
    assert client.get("/messages/").location == "/login?next=/messages/"


def test_signing_out_is_not_undone_by_an_answer_that_was_under_way(visitor, alice):
    """Only a page renews the cookie, once a day: what a page looks up by itself may be answered after signing out."""
    sign_in(visitor, alice.email)
    visitor.get("/messages/")  # which gives the session its form token
    assert "Set-Cookie" not in visitor.get("/messages/").headers
    with visitor.session_transaction() as session:
        session["day"] = (now() - timedelta(days=6)).date().isoformat()
    assert "Set-Cookie" not in visitor.get("/messages/", headers={"Accept": "*/*"}).headers
    page = visitor.get("/messages/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert "Max-Age=" in page.headers["Set-Cookie"], "its month begins anew"
    assert "Set-Cookie" not in visitor.get("/messages/", headers={"Accept": "text/html"}).headers


def test_a_screen_on_the_wall_is_not_signed_out_after_a_month(visitor, alice):
    """Nobody opens a page there again: what it looks up keeps it signed in, once a week."""
    sign_in(visitor, alice.email)
    visitor.get("/wall")
    with visitor.session_transaction() as session:
        session["day"] = (now() - timedelta(days=8)).date().isoformat()
    looked_up = visitor.get("/wall?fragment=1", headers={"Accept": "*/*"})
    assert "Max-Age=" in looked_up.headers["Set-Cookie"]
    assert "Set-Cookie" not in visitor.get("/wall?fragment=1", headers={"Accept": "*/*"}).headers


@pytest.mark.parametrize(("email", "password"), [("alice@example.org", "wrong"), ("nobody@example.org", PASSWORD)])
def test_a_wrong_address_and_a_wrong_password_get_the_same_answer(visitor, alice, email, password):
    token = csrf(visitor, "/login")
    page = read_page(visitor.post("/login", data={"email": email, "password": password, "csrf_token": token}), 400)
    assert "L’adresse ou le mot de passe n’est pas le bon." in page.text
    assert page.find(id="email")["value"] == email
    assert password not in page.text


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/phones/", "/phones/"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_where_one_wanted_but_never_away(visitor, alice, wanted, reached):
    data = {"email": "Alice@Example.org", "password": PASSWORD, "csrf_token": csrf(visitor, "/login")}
    assert visitor.post("/login", query_string={"next": wanted}, data=data).location == reached


def test_a_guesser_is_slowed_down(settings):
    from raspisms import create_app
    from raspisms.extensions import db

    app = create_app(settings | {"RATELIMIT_ENABLED": True})
    client = app.test_client()
    token = csrf(client, "/login")
    answers = [
        client.post("/login", data={"email": "a@b.fr", "password": "guess", "csrf_token": token}).status_code
        for _ in range(12)
    ]
    assert answers == [400] * 10 + [429] * 2
    with app.app_context():
        db.engine.dispose()
    app.extensions["bell"].close()


def setup_link(app):
    with app.app_context():
        return f"/setup/{users.first_admin_token()}"


def fill(visitor, link, **changes):
    data = {"email": "lea@exemple.fr", "password": PASSWORD, "repeated": PASSWORD} | changes
    return visitor.post(link, data=data | {"csrf_token": csrf(visitor, link)})


def test_the_first_administrator_is_made_once(app, visitor):
    link = setup_link(app)
    assert fill(visitor, link).status_code == 302
    assert visitor.get("/phones/new").status_code == 200, "signed in, as an administrator"

    other = app.test_client()
    assert other.get(link).location == "/login"
    assert other.post(link).status_code in {302, 400}
    with app.app_context():
        assert User.query.count() == 1


def test_a_wrong_setup_link_is_no_page(visitor):
    read_page(visitor.get("/setup/guess"), 404)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "lea"}, "Cette adresse e-mail n’est pas valable"),
        ({"email": ""}, "Écrivez votre adresse e-mail."),
        ({"password": "short", "repeated": "short"}, "Choisissez un mot de passe d’au moins 10 caractères."),
        ({"repeated": "something else"}, "Les deux mots de passe sont différents."),
        ({"password": "x" * 300, "repeated": "x" * 300}, "trop long"),
    ],
)
def test_each_mistake_has_its_sentence(app, visitor, changes, sentence):
    page = read_page(fill(visitor, setup_link(app), **changes), 400)
    assert sentence in page.text
    assert page.find("a", href="#" + next(iter(changes))), "the summary leads to the field"


def test_changing_the_password_closes_other_sessions(app, client):
    elsewhere = app.test_client()
    sign_in(elsewhere, "alice@example.org")
    new = "another horse battery"
    data = {"current": PASSWORD, "password": new, "repeated": new, "csrf_token": csrf(client, "/profile/")}
    assert client.post("/profile/password", data=data).status_code == 302
    assert client.get("/messages/").status_code == 200
    assert elsewhere.get("/messages/").status_code == 302
    sign_in(elsewhere, "alice@example.org", new)


def test_a_wrong_current_password_changes_nothing(app, client):
    data = {"current": "wrong", "password": "x" * 10, "repeated": "x" * 10, "csrf_token": csrf(client, "/profile/")}
    page = read_page(client.post("/profile/password", data=data), 400)
    assert "Ce n’est pas votre mot de passe actuel." in page.text
    sign_in(app.test_client(), "alice@example.org")


def test_members_manage_no_phone(app, visitor, phone):
    with app.app_context():
        users.add("bob@example.org", PASSWORD, Role.MEMBER)
    sign_in(visitor, "bob@example.org")
    page = read_page(visitor.get("/phones/"))
    assert page.find("a", href="/phones/new") is None
    for path in ("/phones/new", f"/phones/{phone.id}/edit", f"/phones/{phone.id}/token"):
        assert "Réservé aux administrateurs" in read_page(visitor.get(path), 403).text
    token = csrf(visitor, "/profile/")
    for verb in ("check", "disable", "enable", "token"):
        assert visitor.post(f"/phones/{phone.id}/{verb}", data={"csrf_token": token}).status_code == 403


def test_language_is_chosen_per_person(client, get):
    assert "SMS envoyés" in get("/messages/").h1
    token = csrf(client, "/profile/")
    client.post("/profile/locale", data={"locale": "en", "csrf_token": token})
    page = get("/messages/")
    assert page.html["lang"] == "en"
    assert page.h1.text == "Sent messages"
    assert client.post("/profile/locale", data={"locale": "xx", "csrf_token": token}).status_code == 400


def test_strangers_get_the_language_of_their_browser(visitor):
    page = read_page(visitor.get("/login", headers={"Accept-Language": "en-GB,en;q=0.9"}))
    assert page.html["lang"] == "en"
    assert read_page(visitor.get("/login", headers={"Accept-Language": "de"})).html["lang"] == "fr"


def test_a_form_without_its_token_is_refused_with_a_sentence(client):
    page = read_page(client.post("/profile/locale", data={"locale": "en"}), 400)
    assert "Cette page a expiré" in page.text


def test_pages_carry_a_strict_policy(client):
    headers = client.get("/messages/").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
