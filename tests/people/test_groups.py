"""Groups, one inside the other and by rule; contacts found, changed by two people, forgotten."""

import pytest
from sqlalchemy import select

from raspisms.campaigns import drafts
from raspisms.campaigns.targets import Targets
from raspisms.extensions import db
from raspisms.language import Mistake
from raspisms.models import Contact, Message, OptOut
from raspisms.people import contact_list, contacts, exports, groups
from raspisms.people.contacts import Conflict, Invalid
from raspisms.people.reading import reader
from tests import factories


@pytest.fixture
def here(app):
    with app.app_context():
        yield
        db.session.rollback()


def add(name, number, **data):
    return contacts.save(None, None, name, number, data)


def names(group_ids):
    return [person.name for person in groups.members(group_ids)]


def test_a_group_holds_its_people_those_of_its_groups_and_those_of_rules(here):
    lea, bob = add("Léa", "0639987001", ville="Lyon"), add("Bob", "0639987002", ville="Nice")
    add("Max", "0639987003", ville="Brest")
    inner, rule = groups.save(None, "Dedans"), groups.save(None, "Lyon", rule="contact.ville == 'Lyon'")
    outer = groups.save(None, "Dehors", child_ids=[inner.id, rule.id])
    contacts.change_groups(Contact.id == bob.id, inner.id, member=True)
    assert names([outer.id]) == ["Léa", "Bob"]
    contacts.save(lea.id, lea.version, "Léa", "0639987001", {"ville": "Metz"})
    assert names([outer.id]) == ["Bob"], "a rule is asked each time"
    contacts.change_groups(Contact.id == bob.id, inner.id, member=False)
    assert names([outer.id]) == []


def test_a_circle_of_groups_is_refused(here):
    a = groups.save(None, "A")
    b = groups.save(None, "B", child_ids=[a.id])
    c = groups.save(None, "C", child_ids=[b.id])
    for child in (a, b, c):
        with pytest.raises(groups.Invalid):
            groups.save(a.id, "A", child_ids=[child.id])
    with pytest.raises(groups.Invalid):
        groups.save(None, "A")


def test_a_preview_counts_and_names_the_first(here):
    for at in range(7):
        add(f"P{at}", f"06399870{at:02}", rang=str(at))
    found = groups.preview_rule("contact.rang >= 1")
    assert (found.count, found.names, found.others) == (6, ["P1", "P2", "P3", "P4", "P5"], 1)
    with pytest.raises(Mistake):
        groups.save(None, "Faux", rule="contact.rang >=")


def test_a_search_needs_no_accents_and_finds_numbers_as_people_write_them(here):
    add("Éloïse  Dûpont", "06 39 98 70 01")
    add("Jean", "0639987002")
    for words in ("eloise", "DUPONT elo", "06 39 98 70 01", "+33639987001", "98.70.01"):
        assert contact_list.count(contact_list.matching(contact_list.spaceless(words))) == 1, words
    assert contact_list.count(contact_list.matching("100%")) == 0


def test_two_people_who_change_the_same_contact_are_told(here):
    lea = add("Léa", "0639987001")
    version = lea.version
    contacts.save(lea.id, version, "Léa A", "0639987001", {})
    with pytest.raises(Conflict):
        contacts.save(lea.id, version, "Léa B", "0639987001", {})
    assert db.session.get(Contact, lea.id, populate_existing=True).name == "Léa A"


def test_what_is_no_contact_is_refused_with_every_reason(here):
    with pytest.raises(Invalid) as caught:
        contacts.save(None, None, "x" * 101, "12", {})
    assert set(caught.value.errors) == {"name", "number"}


def test_many_are_changed_at_once(here):
    for at in range(5):
        add(f"P{at}", f"06399870{at:02}", vip="non")
    assert contacts.set_datum(contact_list.matching(), "vip !", "oui") == 5
    assert contacts.set_datum(contact_list.matching(), "vip", "") == 5
    assert contacts.delete_some(contact_list.matching("p3")) == 1
    assert contact_list.count(contact_list.matching()) == 4


def test_an_export_comes_back_as_it_was(here):
    add("=cmd|' /C calc'!A0", "0639987001", note="+1", ville='Saint-Étienne; "x"')
    add("Bob", "+262692123456", vip="oui")
    before = [(p.name, p.number, dict(p.data)) for p in contact_list.everybody()]
    for content in (
        "".join(exports.as_csv(contact_list.everybody())),
        "".join(exports.as_json(contact_list.everybody())),
    ):
        back = [(line.name, line.number, line.data) for line in reader.read(content.encode()).lines]
        assert back == before
    cells = "".join(exports.as_csv(contact_list.everybody())).replace('"', "")
    assert not any(cell.startswith(("=", "-", "@")) for line in cells.splitlines() for cell in line.split(";"))


def test_a_person_is_forgotten_but_their_stop_is_not(app, client, phone, octopush, run_jobs):
    with app.app_context():
        contact = add("Léa", factories.LEA)
    factories.post(app, phone, factories.LEA)
    run_jobs()
    with app.app_context():
        targets = Targets(contacts=[contact.id], numbers=[{"number": "06 39 98 70 01"}, {"number": factories.BOB}])
        draft = drafts.save(None, drafts.Wish(None, "x", targets), None)
    client.post("/opt-outs/", data={"numbers": factories.LEA, "csrf_token": factories.csrf(client, "/opt-outs/")})
    path = f"/contacts/{contact.id}"
    client.post(f"{path}/erase", data={"csrf_token": factories.csrf(client, path)})
    with app.app_context():
        assert db.session.scalar(select(Contact)) is None
        assert db.session.scalar(select(Message)) is None
        kept = drafts.get(draft.id).targets
        assert (kept["contacts"], kept["numbers"]) == ([], [{"number": factories.BOB}])
        assert [row.number for row in db.session.scalars(select(OptOut))] == [None]
    assert factories.post(app, phone, factories.LEA) == [], "the digest still stops it"
