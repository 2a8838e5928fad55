"""Numbers of the French territories that older versions read as the mainland's: mended, and nobody's STOP is lost."""

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import select

from raspisms import gate
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import AuditEntry, Contact, Conversation, Fate, Message, OptOut, Recipient, Status, StopMark
from raspisms.models.contact import searchable
from raspisms.people import contact_list, erasure, groups, opt_outs
from raspisms.storage import schema
from raspisms.storage.transactions import transaction
from raspisms.vault import vault
from tests.conversations.steps import hears
from tests.desk import written
from tests.factories import BOB, LEA, csrf, post

WRONG, RIGHT = "+33692000001", "+262692000001"


@pytest.fixture
def mend(here):
    """Bring a database that an older version filled to the present one."""

    def mend():
        db.session.rollback()
        command.downgrade(schema.alembic_config(), "0010")
        schema.upgrade()
        db.session.expire_all()

    return mend


def contact(name, number, **more):
    with transaction() as session:
        found = Contact(name=name, number=number, sort_key=name, search=searchable(name, number), **more)
        if number == WRONG:
            found.search = f"{name.lower()} {WRONG} 0692000001"
        session.add(found)
    return found.id


def people():
    return {one.name: one.number for one in db.session.scalars(select(Contact))}


def kept():
    return [entry.subject for entry in db.session.scalars(select(AuditEntry)) if entry.action == "numbers corrected"]


def test_contacts_are_found_under_the_number_that_they_have(mend):
    contact("Hoarau", WRONG, fault="Ce numéro n’existe pas.", fault_at=now())
    contact("Léa", LEA)
    contact("Nobody", "+33700000008")
    mend()
    assert people() == {"Hoarau": RIGHT, "Léa": LEA, "Nobody": "+33700000008"}
    [found] = contact_list.page(contact_list.matching("0692000001"), None, 5).rows
    assert (found.number, found.search, found.fault) == (RIGHT, searchable("Hoarau", RIGHT), None)
    assert kept() == ["contacts 1"]


def test_who_is_there_twice_by_that_becomes_one_with_what_both_had(mend):
    first, second = groups.save(None, "Parents").id, groups.save(None, "Anciens").id
    right = contact("Hoarau", RIGHT, data={"ville": "Paris"})
    wrong = contact(
        "Hoarau", WRONG, data={"ville": "Saint-Denis", "club": "oui"}, consent="Formulaire", consent_at=now()
    )
    contact("Payet", WRONG)
    with transaction() as session:
        groups.put(session, first, [right, wrong])
        groups.put(session, second, [wrong])
    mend()
    both = db.session.scalars(select(Contact).where(Contact.name == "Hoarau")).one()
    assert (both.id, both.number, both.consent) == (right, RIGHT, "Formulaire")
    assert both.data == {"ville": "Paris", "club": "oui"}
    assert [one.id for one in groups.members([first])] == [one.id for one in groups.members([second])] == [right]
    assert people()["Payet"] == RIGHT, "another person at the same number is another person"


@pytest.mark.parametrize("there", [None, "silent", "lifted"])
def test_no_stop_is_lost(mend, there):
    with transaction() as session:
        session.add(OptOut(number=WRONG, origin="reply"))
        if there:
            session.add(OptOut(number=RIGHT, origin="reply", lifted_at=now() if there == "lifted" else None))
    mend()
    assert opt_outs.silent(db.session(), [RIGHT, BOB]) == {RIGHT}
    assert db.session.scalars(select(OptOut.number)).all() == [RIGHT]


def test_who_was_erased_under_the_wrong_number_stays_silent_and_may_come_back(mend):
    with transaction() as session:
        session.add(OptOut(digest=vault().digest(WRONG, "opt-out"), origin="reply"))
    mend()
    assert opt_outs.silent(db.session(), [RIGHT]) == {RIGHT}
    with transaction() as session:
        opt_outs.take_back(session, RIGHT)
    assert opt_outs.silent(db.session(), [RIGHT]) == set()


def test_what_waits_goes_to_the_number_that_there_is(app, phone, mend):
    waits, left = post(app, phone, LEA, BOB)
    with transaction() as session:
        for message_id in (waits, left):
            session.get(Message, message_id).number = WRONG
        session.get(Message, left).status = Status.SENT
    mend()
    assert db.session.get(Message, waits).number == RIGHT
    assert db.session.get(Message, left).number == WRONG, "that is where it went"


def test_a_campaign_that_has_both_writes_once(mend):
    written(LEA, BOB)
    with transaction() as session:
        wrong, right = session.scalars(select(Recipient).order_by(Recipient.id))
        wrong.number, right.number = WRONG, RIGHT
    mend()
    fates = [(one.number, one.fate) for one in db.session.scalars(select(Recipient).order_by(Recipient.id))]
    assert fates == [(RIGHT, Fate.DUPLICATE), (RIGHT, Fate.KEPT)]


def test_a_doubtful_stop_goes_on_keeping_them_from_being_written_to(app, phone, mend):
    [sms] = post(app, phone, LEA)
    with transaction() as session:
        said = session.get(Message, sms)
        said.direction, said.status, said.number, said.stop = "in", Status.RECEIVED, WRONG, StopMark.SUSPECTED
    mend()
    assert gate.may_get(db.session(), [RIGHT])[RIGHT].reason is gate.Reason.SUSPECTED
    opt_outs.decide(sms, stops=True, user_id=None)
    assert opt_outs.silent(db.session(), [RIGHT]) == {RIGHT}


def test_the_last_stop_counts_where_both_were_known(mend):
    with transaction() as session:
        session.add(OptOut(number=WRONG, origin="reply", created_at=now() - timedelta(days=1)))
        old = now() - timedelta(days=60)
        session.add(OptOut(number=RIGHT, origin="reply", created_at=old, lifted_at=now() - timedelta(days=30)))
    mend()
    with transaction() as session:
        opt_outs.take_back(session, RIGHT, now() - timedelta(days=30))  # the old START, told once more
    assert opt_outs.silent(db.session(), [RIGHT]) == {RIGHT}


def test_a_stop_of_the_provider_s_list_is_found_in_either_writing(here):
    with transaction() as session:
        opt_outs.add(session, WRONG, "report")
    assert opt_outs.silent(db.session(), [RIGHT]) == {RIGHT}
    with transaction() as session:
        opt_outs.take_back(session, RIGHT)
    assert opt_outs.silent(db.session(), [RIGHT]) == set()


def test_each_writing_of_a_number_is_told(here):
    with transaction() as session:
        opt_outs.add(session, WRONG, "report")
    assert opt_outs.silent(db.session(), [WRONG, RIGHT, BOB]) == {WRONG, RIGHT}
    with transaction() as session:
        opt_outs.forget_number(session, RIGHT)
    assert db.session.scalars(select(OptOut.number)).all() == [None], "erased in either writing"
    assert opt_outs.silent(db.session(), [RIGHT]) == {RIGHT}


def test_an_answer_in_a_thread_of_before_goes_to_the_person_and_shows_their_thread(client, here):
    hears(here, number=WRONG)
    old = db.session.scalar(select(Conversation.id))
    db.session.rollback()
    page = f"/conversations/{old}"
    form = {"csrf_token": csrf(client, page), "key": "k", "seen": str(10**9), "text": "Oui"}
    answer = client.post(f"{page}/reply", data=form, follow_redirects=True)
    assert answer.request.path not in {page, f"{page}/reply"}
    sent = db.session.scalars(select(Message).where(Message.direction == "out")).one()
    assert (sent.number, sent.text) == (RIGHT, "Oui")
    assert "Oui" in answer.text


def test_a_campaign_caught_in_the_middle_of_its_acceptance_writes_once(app, phone, mend):
    """The wrong number is accepted, the right one of the same person is to follow."""
    campaign = written(LEA, BOB)
    [sms] = post(app, phone, LEA)
    with transaction() as session:
        wrong, right = session.scalars(select(Recipient).order_by(Recipient.id))
        wrong.number, right.number = WRONG, RIGHT
        message = session.get(Message, sms)
        message.number, message.campaign_id = WRONG, campaign.id
    mend()
    assert db.session.get(Message, sms).number == WRONG, "refused as it leaves: the other goes to the person"
    fates = [(one.number, one.fate) for one in db.session.scalars(select(Recipient).order_by(Recipient.id))]
    assert fates == [(WRONG, Fate.KEPT), (RIGHT, Fate.KEPT)]


def test_nothing_of_an_erased_person_is_left_under_the_wrong_number(app, phone, mend):
    person = contact("Hoarau", WRONG)
    [sms] = post(app, phone, LEA)
    with transaction() as session:
        message = session.get(Message, sms)
        message.number, message.status = WRONG, Status.DELIVERED
    mend()
    erasure.forget(person, None)
    db.session.expire_all()
    assert db.session.scalars(select(Message.id)).all() == []


def test_a_second_time_changes_nothing(mend):
    contact("Hoarau", WRONG)
    mend()
    mend()
    assert kept() == ["contacts 1"]
