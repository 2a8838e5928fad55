"""What people delete: hidden at once, gone ten seconds later, and back if somebody wants it back."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Contact, Group, Removal, RemovalKind, RemovalTarget, Role, SavedText, User
from raspisms.people import contacts, groups
from raspisms.scheduler import clock_jumps, removals
from raspisms.storage.transactions import transaction
from tests import factories
from tests.factories import BOB, LEA, csrf, undo_is_over


@pytest.fixture
def two(app, alice):
    with app.app_context():
        inside = groups.save(None, "Parents").id
        contacts.save(None, None, "Léa", LEA, {"ville": "Lyon"}, group_ids=[inside])
        contacts.save(None, None, "Bob", BOB, {})
        db.session.remove()
    return inside


def names(app):
    with app.app_context():
        return sorted(db.session.scalars(select(Contact.name)))


def undo(client, page):
    form = page.select_one(".page-undo form")
    fields = {one["name"]: one["value"] for one in form.select("input")}
    return client.post(form["action"], data=fields)


def test_a_deletion_names_what_goes_and_can_be_taken_back(app, client, get, two):
    client.post("/contacts/1/delete", data={"csrf_token": csrf(client, "/contacts/")})
    page = get("/contacts/")
    assert "« Léa » est supprimé" in page.select_one(".page-undo").text.replace("\xa0", " ")
    assert "Léa" not in page.select_one("#contacts").text, "hidden at once"
    assert names(app) == ["Bob", "Léa"], "and still there"
    undo(client, page)
    undo_is_over(app)
    assert "Léa" in get("/contacts/").select_one("#contacts").text
    with app.app_context():
        assert [person.name for person in groups.members([two])] == ["Léa"], "with its groups"
        assert db.session.scalars(select(RemovalTarget)).all() == []


def test_too_late_is_said(app, client, get, two):
    client.post("/contacts/1/delete", data={"csrf_token": csrf(client, "/contacts/")})
    page = get("/contacts/")
    undo_is_over(app)
    undo(client, page)
    assert "Trop tard" in get("/contacts/").text
    assert names(app) == ["Bob"]


def test_groups_and_texts_too(app, client, get, two):
    with app.app_context(), transaction() as session:
        session.add(SavedText(name="Horaires", text="De 9 h à 17 h"))
    for path, name in (("/groups/", "Parents"), ("/texts/", "Horaires")):
        client.post(f"{path}1/delete", data={"csrf_token": csrf(client, path)})
        page = get(path)
        assert name in page.select_one(".page-undo").text
        assert name not in "".join(one.text for one in page.select("table.list"))
        undo(client, page)
        undo_is_over(app)
        assert name in get(path).select_one("table.list").text
        client.post(f"{path}1/delete", data={"csrf_token": csrf(client, path)})
        undo_is_over(app)
    with app.app_context():
        assert db.session.get(Group, 1) is None
        assert db.session.get(SavedText, 1) is None
        assert db.session.scalars(select(Removal)).all() == []


def test_deleting_is_a_right(app, two):
    bob = factories.user(app, "bob@example.org", Role.MEMBER)
    member = factories.signed_in(app, bob)
    token = csrf(member, "/contacts/")
    for path, form in (
        ("/contacts/1/delete", {}),
        ("/contacts/bulk", {"contact": "1", "verb": "delete"}),
        ("/groups/1/delete", {}),
        ("/groups/1/delete-people", {}),
        ("/texts/1/delete", {}),
        ("/removals/1/undo", {}),
    ):
        assert member.post(path, data=form | {"csrf_token": token}).status_code == 403, path
    assert "Supprimer" not in member.get("/contacts/1").text
    with app.app_context(), transaction() as session:
        session.get(User, bob.id).may_delete = True
    assert "Supprimer" in member.get("/contacts/1").text
    assert member.post("/contacts/1/delete", data={"csrf_token": token}).status_code == 302


def test_what_was_never_written_down_whole_never_goes(app, two):
    with app.app_context():
        with transaction() as session:
            session.add(Removal(kind=RemovalKind.CONTACTS, created_at=now() - removals.ABANDONED * 2))
            session.flush()
            session.add(RemovalTarget(removal_id=1, target_id=1))
        assert removals.work() == removals.NEVER
        removals.tidy()
        assert db.session.scalars(select(Removal)).all() == []
    assert names(app) == ["Bob", "Léa"]


def test_a_clock_that_died_in_the_middle_goes_on(app, two, monkeypatch):
    with app.app_context():
        removals.begin(RemovalKind.CONTACTS, [1, 2], None, seconds=0)

        def die(*_):
            raise RuntimeError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(contacts, "delete_some", die)
            with pytest.raises(RuntimeError):
                removals.work()
        with pytest.raises(removals.TooLate):
            removals.take_back(1)  # some may be gone
        removals.work()
    assert names(app) == []


def test_what_is_deleted_twice_comes_back_by_one_word(app, client, get, two):
    token = csrf(client, "/contacts/")
    for _ in range(2):
        client.post("/contacts/1/delete", data={"csrf_token": token})
    undo(client, get("/contacts/"))
    undo_is_over(app)
    assert names(app) == ["Bob", "Léa"]


def test_who_was_changed_meanwhile_stays(app, client, two):
    page = client.get("/contacts/1/edit")
    client.post("/contacts/1/delete", data={"csrf_token": csrf(client, "/contacts/")})
    form = BeautifulSoup(page.text, "html5lib").select_one("main form")
    fields = {one["name"]: one.get("value", "") for one in form.select("input[name]") if one.get("type") != "checkbox"}
    assert client.post("/contacts/1/edit", data=fields | {"name": "Léa Durand"}).status_code == 302
    undo_is_over(app)
    assert names(app) == ["Bob", "Léa Durand"]


def test_a_clock_that_was_set_back_hides_nobody_for_hours(app, two):
    with app.app_context():
        removals.begin(RemovalKind.CONTACT, [1], None)
        with transaction() as session:
            session.scalars(select(Removal)).one().due_at = now() + timedelta(hours=3)
        removals.work()
        assert names(app) == ["Bob", "Léa"]
        clock_jumps.release()
        removals.work()
    assert names(app) == ["Bob"]
