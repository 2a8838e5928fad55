"""Bringing lists in: what each line is, nothing lost, nothing changed before the word, everything back after undo."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Contact, Import, ImportLine, ImportPiece, ImportState, RemovalKind, Verdict
from raspisms.people import contact_list, contacts, erasure, groups, import_opening, imports
from raspisms.people.reading import Choice, Line
from raspisms.people.reading.reader import read_text
from raspisms.scheduler import removals
from raspisms.sending import outbox
from raspisms.storage.stride import Stride
from raspisms.storage.transactions import transaction
from tests.factories import LEA

LIST = """nom;portable;ville
Léa;06 39 98 70 01;Lyon
Bob;0639987002;Nice
Max;6,39987003E+08;Nice
Rep;639987004;Nice
Faux;12;Nice
Vide;;Nice
Léa;+33639987001;Paris
Autre;0639987001;Lyon
"""


@pytest.fixture
def here(app):
    with app.app_context():
        yield
        db.session.rollback()


def bring(text=LIST, **options):
    found = imports.begin(read_text(text).lines, "liste.csv", None, **options)
    while imports.work(found.id):
        pass
    return found.id


def finish(import_id):
    while imports.work(import_id):
        pass
    return db.session.get(Import, import_id, populate_existing=True)


def everybody():
    return {person.name: (person.number, dict(person.data)) for person in contact_list.everybody()}


def test_each_line_is_told_what_it_is(here):
    import_id = bring()
    verdicts = {line.line: (line.verdict, line.repaired) for line in db.session.scalars(select(ImportLine))}
    assert verdicts == {
        2: (Verdict.NEW, False),
        3: (Verdict.NEW, False),
        4: (Verdict.NEW, True),
        5: (Verdict.NEW, True),
        6: (Verdict.WRONG, False),
        7: (Verdict.WRONG, False),
        8: (Verdict.DOUBLE, False),  # the same person again
        9: (Verdict.NEW, False),  # somebody else with the same telephone
    }
    assert everybody() == {}, "nothing changes before somebody says so"
    assert imports.counts(import_id)["repaired"] == 2


def test_applied_then_undone(here):
    bob_id = contacts.save(None, None, "Bob", "0639987002", {"ville": "Brest", "vip": "oui"}).id
    group_id = groups.save(None, "Inscrits").id
    import_id = bring(group_id=group_id, consent="bulletin 2026")
    imports.apply(import_id)
    assert finish(import_id).state is ImportState.APPLIED
    found = everybody()
    assert found["Léa"] == ("+33639987001", {"nom": "Léa", "ville": "Lyon"})
    assert found["Bob"] == ("+33639987002", {"nom": "Bob", "ville": "Nice", "vip": "oui"})
    assert set(found) == {"Léa", "Bob", "Max", "Rep", "Autre"}
    assert {person.name for person in groups.members([group_id])} == set(found)
    assert db.session.get(Contact, bob_id, populate_existing=True).consent == "bulletin 2026"

    imports.undo(import_id)
    assert finish(import_id).state is ImportState.UNDONE
    assert everybody() == {"Bob": ("+33639987002", {"ville": "Brest", "vip": "oui"})}


def test_undo_leaves_what_people_changed_since(here):
    import_id = bring()
    imports.apply(import_id)
    finish(import_id)
    lea = db.session.scalar(select(Contact).where(Contact.name == "Léa"))
    contacts.save(lea.id, lea.version, "Léa", "0639987001", {"ville": "Metz"})
    imports.undo(import_id)
    finish(import_id)
    assert everybody() == {"Léa": ("+33639987001", {"ville": "Metz"})}
    assert imports.counts(import_id)["kept"] == 1


def test_the_same_list_again_changes_nothing(here):
    imports.apply(first := bring())
    finish(first)
    before = everybody()
    again = imports.counts(bring())
    assert (again["new"], again["changed"], again["known"], again["double"]) == (0, 0, 5, 1)
    assert everybody() == before


def test_a_refused_line_is_corrected(here):
    import_id = bring()
    refused = imports.lines_of(import_id, "wrong").rows
    assert imports.correct(import_id, refused[0].id, "06 39 98 70 09").verdict is Verdict.NEW
    assert imports.correct(import_id, refused[1].id, "encore faux").verdict is Verdict.WRONG
    imports.apply(import_id)
    finish(import_id)
    assert everybody()["Faux"][0] == "+33639987009"
    with pytest.raises(imports.Refused):
        imports.correct(import_id, refused[1].id, "0639987010")


def test_a_step_cut_short_goes_on_where_it_was(here, monkeypatch):
    import_id = bring()
    imports.apply(import_id)
    assert imports._chunk(import_id, Stride(3))
    assert len(everybody()) == 3
    with pytest.raises(imports.Refused):
        imports.apply(import_id)
    assert finish(import_id).state is ImportState.APPLIED
    assert len(everybody()) == 5


def test_a_contact_that_appeared_meanwhile_is_not_doubled(here):
    import_id = bring()
    contacts.save(None, None, "Léa", "0639987001", {"vip": "oui"})
    imports.apply(import_id)
    finish(import_id)
    assert everybody()["Léa"] == ("+33639987001", {"vip": "oui", "nom": "Léa", "ville": "Lyon"})
    assert contact_list.count(Contact.name == "Léa") == 1


def test_the_job_does_it_all(app, run_jobs):
    with app.app_context():
        found = imports.begin(read_text(LIST).lines, "liste", None)
    run_jobs()
    with app.app_context():
        assert db.session.get(Import, found.id).state is ImportState.READY


def test_undo_takes_back_every_line_of_one_person_and_the_group(here):
    bob = contacts.save(None, None, "", "0639987002", {})
    group_id = groups.save(None, "Inscrits").id
    import_id = bring("nom;portable;x;y\n;0639987002;1;\nBob;0639987002;;2\n", group_id=group_id, consent="bulletin")
    imports.apply(import_id)
    finish(import_id)
    assert list(groups.members([group_id]))
    imports.undo(import_id)
    finish(import_id)
    found = db.session.get(Contact, bob.id, populate_existing=True)
    assert (found.name, found.data, found.consent) == ("", {}, "")
    assert list(groups.members([group_id])) == []


def test_a_proof_of_consent_is_kept_for_who_was_there_already(here):
    lea = contacts.save(None, None, "Léa", "0639987001", {})
    imports.apply(import_id := bring("0639987001;Léa\n", consent="bulletin 2026"))
    finish(import_id)
    assert db.session.get(Contact, lea.id, populate_existing=True).consent == "bulletin 2026"


def test_undo_removes_a_person_whom_two_lines_made(here):
    import_id = bring("nom;portable;x\n;0639987002;1\nBob;0639987002;2\n")
    imports.apply(import_id)
    finish(import_id)
    assert list(everybody()) == ["Bob"]
    [only] = contact_list.everybody()
    assert set(db.session.scalars(select(ImportLine.contact_id))) == {only.id}
    imports.undo(import_id)
    finish(import_id)
    assert everybody() == {}


def test_an_erasure_reaches_the_lines_that_were_not_read_yet(here):
    saved = contacts.save(None, None, "Léa", LEA, {})
    begun = imports.begin([Line(1, "Léa", "06 39 98 70 01"), Line(2, "Bob", "06 39 98 70 02")], "liste", None)
    with transaction() as session:
        erasure.erase(session, session.get_one(Contact, saved.id))
    while imports.work(begun.id):
        pass
    assert [line.raw["name"] for line in db.session.scalars(select(ImportLine))] == ["Bob"]


# -- a file that may be read once more ----------------------------------------------------------------------------

FAMILIES = "Nom;Mobile élève;Tél. parent\nLéa;06 39 98 70 01;06 39 98 70 11\nBob;;06 39 98 70 12\n"


def bring_file(text=FAMILIES):
    found = imports.receive(imports.expect("familles.csv", None), text.encode())
    return finish(found.id)


def pieces():
    return db.session.scalar(select(func.count()).select_from(ImportPiece))


def test_other_columns_are_chosen_and_the_file_is_read_once_more(here):
    found = bring_file()
    assert [line.number for line in db.session.scalars(select(ImportLine))] == ["+33639987001", "+33639987012"]
    imports.choose(found.id, Choice(columns={"1": "left_out"}))
    found = finish(found.id)
    assert [line.number for line in db.session.scalars(select(ImportLine))] == ["+33639987011", "+33639987012"]
    assert (found.state, found.total, pieces()) == (ImportState.READY, 2, 1)
    imports.apply(found.id)
    assert (finish(found.id).layout, pieces()) == (None, 0), "what was read is applied: the file is not needed"
    with pytest.raises(imports.Refused):
        imports.choose(found.id, Choice())


def test_a_choice_that_leaves_nobody_can_be_changed(here):
    found = bring_file()
    imports.choose(found.id, Choice(header=3))
    assert finish(found.id).state is ImportState.READY
    imports.choose(found.id, Choice(header=1))
    finish(found.id)
    assert imports.counts(found.id)["new"] == 2


def test_a_list_without_a_file_is_not_read_again(here):
    import_id = bring()
    with pytest.raises(imports.Refused):
        imports.choose(import_id, Choice())


def test_an_erasure_takes_the_file_that_holds_the_person_with_it(here):
    saved_id = contacts.save(None, None, "Léa", "0639987001", {}).id
    bring_file("nom;tel\nAutre;0639987077\n")
    found = bring_file()
    found_id = found.id
    erasure.forget(saved_id, None)
    assert pieces() == 0, "any file may hold the person, in whatever place"
    assert db.session.get(Import, found_id, populate_existing=True).layout is None
    assert "+33639987001" not in set(db.session.scalars(select(ImportLine.number)))


def test_what_the_file_says_of_consent_comes_before_what_was_said_of_all(here):
    yes = contacts.save(None, None, "Léa", "0639987001", {}, consent="bulletin 2024")
    text = "nom;tel;accord sms\nLéa;0639987001;non\nBob;0639987002;oui\nZoé;0639987003;\n"
    found = imports.receive(imports.expect("liste.csv", None, consent="tous d'accord"), text.encode())
    finish(found.id)
    imports.apply(found.id)
    finish(found.id)
    consents = {
        one.name: one.consent for one in db.session.scalars(select(Contact).execution_options(populate_existing=True))
    }
    assert consents == {"Léa": "", "Bob": "liste.csv, accord sms : oui", "Zoé": "tous d'accord"}
    imports.undo(found.id)
    finish(found.id)
    assert db.session.get(Contact, yes.id, populate_existing=True).consent == "bulletin 2024"


def test_one_datum_has_one_spelling(here):
    contacts.save(None, None, "Léa", "0639987001", {"Ville": "Lyon"})
    imports.apply(import_id := bring("nom;tel;VILLE\nLéa;0639987001;Nice\n"))
    finish(import_id)
    assert everybody()["Léa"][1] == {"Ville": "Nice", "nom": "Léa"}
    assert contact_list.known_keys() == ["Ville", "nom"]


def test_an_erasure_that_is_refused_leaves_the_file(here, phone):
    saved_id = contacts.save(None, None, "Léa", "0639987001", {}).id
    bring_file()
    outbox.post(phone, ["+33639987001"], "Bonjour")
    with pytest.raises(erasure.StillLeaving):
        erasure.forget(saved_id, None)
    assert pieces() == 1


def test_what_cannot_be_read_as_chosen_is_read_as_before_and_said(here):
    found = bring_file()
    imports.choose(found.id, Choice(sheet="Autre feuille"))
    found = finish(found.id)
    assert (found.state, found.choice, pieces()) == (ImportState.READY, None, 1)
    assert "feuille" in found.reason
    assert imports.counts(found.id)["new"] == 2


def test_a_choice_that_was_cut_short_is_gone_on_with(here):
    found = bring_file()
    imports.choose(found.id, Choice(columns={"1": "left_out"}))
    imports.tidy(now() + timedelta(hours=2))  # nobody worked on it
    assert finish(found.id).state is ImportState.READY
    assert [line.number for line in db.session.scalars(select(ImportLine))] == ["+33639987011", "+33639987012"]


def test_nothing_of_a_list_is_kept_for_ever(here):
    found = bring_file()
    imports.choose(found.id, Choice(header=3))
    finish(found.id)
    imports.tidy(now() + timedelta(days=31))
    assert pieces() == 0
    found = db.session.get(Import, found.id, populate_existing=True)
    assert (found.layout, found.choice) == (None, None)


def test_a_no_that_is_not_understood_is_no_yes(here):
    text = "nom;tel;accord sms\nLéa;0639987001;peut-être\nBob;0639987002;non merci\nZoé;0639987003;STOP\n"
    found = imports.receive(imports.expect("liste.csv", None, consent="tous d'accord"), text.encode())
    finish(found.id)
    imports.apply(found.id)
    finish(found.id)
    db.session.expire_all()
    assert {one.name: one.consent for one in db.session.scalars(select(Contact))} == {"Léa": "", "Bob": "", "Zoé": ""}


def test_an_erasure_stops_who_reads_a_file_that_may_hold_the_person(here, monkeypatch):
    saved_id = contacts.save(None, None, "Léa", "0639987001", {}).id
    read = import_opening._read_file

    def erased_meanwhile(import_id):
        found = read(import_id)
        erasure.forget(saved_id, None)
        return found

    monkeypatch.setattr(import_opening, "_read_file", erased_meanwhile)
    found = bring_file()
    assert (found.state, found.layout, pieces()) == (ImportState.UNREADABLE, None, 0)
    assert "plus gardé" in found.reason
    assert db.session.scalar(select(ImportLine.id)) is None


def test_a_page_of_before_applies_no_other_reading(here):
    found = bring_file()
    seen = found.reading
    imports.choose(found.id, Choice(columns={"1": "left_out"}))
    finish(found.id)
    with pytest.raises(imports.Refused, match="relue"):
        imports.apply(found.id, reading=seen)
    imports.apply(found.id, reading=db.session.get(Import, found.id, populate_existing=True).reading)
    finish(found.id)
    assert everybody()["Léa"][0] == "+33639987011"


def test_who_stands_in_a_list_stays_though_deleted_a_moment_ago(here):
    bob = contacts.save(None, None, "Bob", "0639987002", {"ville": "Brest"}).id
    same = contacts.save(None, None, "Léa", "0639987001", {"nom": "Léa", "ville": "Lyon"}).id
    other = contacts.save(None, None, "Hors liste", "0639987099", {}).id
    import_id = bring()
    removals.begin(RemovalKind.CONTACTS, [bob, same, other], None, seconds=0)
    imports.apply(import_id)
    finish(import_id)
    removals.work()
    assert {"Bob", "Léa"} <= set(everybody())
    assert "Hors liste" not in everybody()
    assert everybody()["Bob"][1]["ville"] == "Nice"
