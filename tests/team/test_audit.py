"""Who did what: every act of a page is kept, with the person who did it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from raspisms.campaigns import launch, lifecycle
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Action, AuditEntry, Import, JournalEntry, Message, OptOut, Phone, Status, StopMark, User
from raspisms.people import contacts, groups, imports, opt_outs
from raspisms.people.reading.reader import read_text
from raspisms.receiving import incoming
from raspisms.sending import restoration
from raspisms.storage.transactions import transaction
from raspisms.team import users
from tests import factories
from tests.desk import sent, written
from tests.factories import BOB, LEA, PASSWORD, csrf

# -- the acts: each makes what it is done to, and gives the address and the form ---------------------------------


def lea(**more):
    return contacts.save(None, None, "Léa", LEA, {}, **more).id


def parents():
    found = groups.save(None, "Parents").id
    lea(group_ids={found})
    return found


def running():
    return sent(written(LEA, BOB), may_override=True).id


def imported(state):
    found = imports.begin(read_text("nom;portable\nLea;06 39 98 70 01\n").lines, "liste.csv", None)
    worked(found.id)
    if state == "applied":
        imports.apply(found.id)
        worked(found.id)
    return found.id


def worked(import_id):
    while imports.work(import_id):
        pass


def heard(**values):
    with transaction() as session:
        found = incoming.store(session, session.scalar(select(Phone)), LEA, "Arrêtez svp", now())
        for name, value in values.items():
            setattr(found, name, value)
    return found.id


def troubled():
    with transaction() as session:
        entry = JournalEntry(phone_id=1, kind="reception", body=b"{}", received_at=now(), state="failed")
        session.add(entry)
    return entry.id


def campaign_paused():
    found = running()
    lifecycle.pause(found)
    return f"/campaigns/{found}/resume", {}


def campaign_failed():
    found = running()
    with transaction() as session:
        for message in session.scalars(select(Message)):
            message.status = Status.FAILED
    return f"/campaigns/{found}/retry", {}


def series():
    found = written(LEA, starts_at=now() + timedelta(days=1), repeats="weekly")
    launch.send(found.id, found.revision, None, may_override=True)
    launch.work(found.id)
    return f"/campaigns/{found.id}/skip", {}


def draft():
    found = written(LEA)
    return f"/campaigns/{found.id}/send", {"revision": found.revision}


def stopped():
    with transaction() as session:
        opt_outs.add(session, LEA, "person")
    return f"/opt-outs/{db.session.scalar(select(OptOut.id))}/delete", {}


def restored():
    with transaction() as session:
        restoration.notice(session, restoration.PROVIDER_KNOWS)
    return "/restoration/", {"restoration": restoration.current(db.session()).id, "decision": "send"}


def switched_off():
    with transaction() as session:
        session.get_one(Phone, 1).status = "disabled"
    return "/phones/1/enable", {}


def colleague():
    with transaction() as session:
        session.add(User(email="bob@exemple.fr", password_hash="x"))
    return db.session.scalar(select(User.id).where(User.email == "bob@exemple.fr"))


NEW_PASSWORD = {"current": PASSWORD, "password": "une autre phrase", "repeated": "une autre phrase"}
ACTS = {
    Action.PHONE_SWITCHED_OFF: lambda: ("/phones/1/disable", {}),
    Action.PHONE_SWITCHED_ON: switched_off,
    Action.PHONE_DELETED: lambda: ("/phones/1/delete", {}),
    Action.TOKEN_RENEWED: lambda: ("/phones/1/token", {}),
    Action.CONTACT_ADDED: lambda: ("/contacts/new", {"name": "Léa", "number": LEA}),
    Action.CONTACT_DELETED: lambda: (f"/contacts/{lea()}/delete", {}),
    Action.CONTACTS_DELETED: lambda: ("/contacts/bulk", {"contact": lea(), "verb": "delete"}),
    Action.CONTACTS_DELETED_BY_GROUP: lambda: (f"/groups/{parents()}/delete-people", {}),
    Action.PERSON_ERASED: lambda: (f"/contacts/{lea()}/erase", {}),
    Action.GROUP_ADDED: lambda: ("/groups/new", {"name": "Parents"}),
    Action.GROUP_DELETED: lambda: (f"/groups/{parents()}/delete", {}),
    Action.IMPORT_APPLY: lambda: (f"/imports/{imported('ready')}/apply", {"reading": Import().reading}),
    Action.IMPORT_UNDO: lambda: (f"/imports/{imported('applied')}/undo", {}),
    Action.CAMPAIGN_LAUNCHED: draft,
    Action.CAMPAIGN_PAUSED: lambda: (f"/campaigns/{running()}/pause", {}),
    Action.CAMPAIGN_RESUMED: campaign_paused,
    Action.CAMPAIGN_CANCELLED: lambda: (f"/campaigns/{running()}/cancel", {}),
    Action.CAMPAIGN_LEFT_OUT: series,
    Action.CAMPAIGN_RETRIED: campaign_failed,
    Action.CALLBACK_TRIED_AGAIN: lambda: (f"/callbacks-in-trouble/{troubled()}/again", {}),
    Action.CALLBACK_SET_ASIDE: lambda: (f"/callbacks-in-trouble/{troubled()}/aside", {}),
    Action.RESTORATION_DECIDED: restored,
    Action.OPT_OUTS_ADDED: lambda: ("/opt-outs/", {"numbers": LEA}),
    Action.OPT_OUT_REMOVED: stopped,
    Action.STOP_CONFIRMED: lambda: (f"/opt-outs/suspected/{heard(stop=StopMark.SUSPECTED)}/confirm", {}),
    Action.STOP_DISMISSED: lambda: (f"/opt-outs/suspected/{heard(stop=StopMark.SUSPECTED)}/dismiss", {}),
    Action.RECEIVED_DELETED: lambda: ("/received/bulk", {"chosen": heard(), "verb": "delete"}),
    Action.PREFERENCES_CHANGED: lambda: ("/preferences/", {"retention_months": "36", "undo_seconds": "10"}),
    Action.RIGHTS_CHANGED: lambda: (f"/team/{colleague()}/rights", {"may_delete": "1"}),
    Action.PASSWORD_CHANGED: lambda: ("/profile/password", NEW_PASSWORD),
}
# What is told of elsewhere: signing in below, phones with their form in tests/blueprints/test_phones.py, the first
# person below, hours in tests/campaigns/test_launch.py; a restored copy is noticed by
# RaspiSMS itself; a migration corrects numbers, tests/storage/test_overseas.py.
ELSEWHERE = {
    Action.SIGNED_IN, Action.SIGN_IN_REFUSED, Action.PERSON_ADDED, Action.PHONE_ADDED, Action.PHONE_CHANGED,
    Action.HOURS_OVERRIDDEN, Action.RESTORATION_NOTICED, Action.NUMBERS_CORRECTED,
}  # fmt: skip


def kept():
    db.session.rollback()
    return [(entry.action, entry.user_id) for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def test_every_act_is_tried():
    assert set(ACTS) | ELSEWHERE == set(Action)


@pytest.mark.parametrize("action", ACTS)
def test_an_act_of_a_page_is_kept_with_its_person(app, at_once, client, alice, phone, action):
    path, form = ACTS[action]()
    before = len(kept())
    client.post(path, data=form | {"csrf_token": csrf(client, "/profile/")})
    factories.undo_is_over(app)
    assert kept()[before:] == [(action, alice.id)]


@pytest.mark.parametrize(("password", "action"), [(PASSWORD, Action.SIGNED_IN), ("wrong", Action.SIGN_IN_REFUSED)])
def test_signing_in_is_kept(app, visitor, alice, password, action):
    form = {"email": alice.email, "password": password, "csrf_token": csrf(visitor, "/login")}
    visitor.post("/login", data=form)
    with app.app_context():
        assert kept() == [(action, alice.id if action is Action.SIGNED_IN else None)]


def test_the_first_person_signs_in_by_being_there(app, visitor):
    with app.app_context():
        path = f"/setup/{users.first_admin_token()}"
    form = {"email": "zoe@example.org", "password": PASSWORD, "repeated": PASSWORD, "csrf_token": csrf(visitor, path)}
    assert visitor.post(path, data=form).status_code == 302
    with app.app_context():
        assert kept() == [(Action.PERSON_ADDED, None), (Action.SIGNED_IN, 1)]
