"""Deleting phones; those for training are never taken by mistake."""

import pytest
from sqlalchemy import select

from raspisms.adapters.octopush.sandbox import OctopushSandbox
from raspisms.campaigns import drafts
from raspisms.extensions import db
from raspisms.models import Message, Phone, PhoneStatus, Role
from raspisms.phones import choosing, deleting, saving, settings
from raspisms.supervisor import sandbox_phone
from tests import factories
from tests.factories import LEA, compose, csrf, post


@pytest.fixture
def inside(app):
    with app.app_context():
        yield
        db.session.rollback()


def names():
    return [phone.name for phone in choosing.offered()]


def test_a_deleted_phone_keeps_what_was_said_and_forgets_its_key(app, inside, client, phone, run_jobs, get):
    [sent] = post(app, phone, LEA)
    with pytest.raises(deleting.Refused):
        deleting.delete(phone.id, None)
    run_jobs()
    client.post(f"/phones/{phone.id}/delete", data={"csrf_token": csrf(client, f"/phones/{phone.id}")})
    db.session.expire_all()
    gone = db.session.get(Phone, phone.id)
    assert gone.is_deleted
    assert gone.status is PhoneStatus.DISABLED
    assert "api_key" not in settings.values_of(gone)
    assert "Mairie (1, " in get(f"/messages/{sent}").text
    assert db.session.get(Message, sent).status.value in {"sent", "delivered"}
    assert client.get(f"/phones/{phone.id}").status_code == 404
    assert names() == []
    factories.phone()  # its name can be given again
    assert names() == ["Mairie"]
    assert deleting.delete(phone.id, None) is None


def test_a_campaign_that_waits_keeps_its_phone(app, inside, phone):
    draft = drafts.save(None, drafts.Wish(phone.id, "Bonjour", drafts.Targets(numbers=[{"number": LEA}])), None)
    assert draft.phone_id == phone.id
    draft.state = "scheduled"
    db.session.commit()
    with pytest.raises(deleting.Refused):
        deleting.delete(phone.id, None)


def test_late_callbacks_of_a_deleted_phone_are_heard(app, inside, phone, callbacks, run_jobs):
    deleting.delete(phone.id, None)
    body = {"number": LEA, "text": "STOP", "reception_date": "2026-11-25 10:00:00"}
    assert callbacks.http.post(callbacks.reception, json=body).status_code == 200
    run_jobs()
    assert [one.text for one in factories.all_messages(app)] == ["STOP"]


def test_the_sandbox_is_marked_while_it_is_the_only_phone(app, inside, client, alice, get):
    sandbox_phone.ensure()
    assert "Entraînement" in get("/contacts/").text
    factories.phone()
    assert "Entraînement" not in get("/contacts/").text


def test_the_sandbox_is_never_chosen_for_anybody(app, inside, client, get):
    sandbox_phone.ensure()
    for name in ("Mairie", "École"):
        factories.phone(name)
    assert names()[-1] == "Bac à sable"
    assert drafts.freest_phone(db.session()) != sandbox()
    page = get("/messages/new")
    first, *_, last = page.select("#phone option")
    assert "Bac à sable" not in first.text
    assert "importe lequel" in last.text
    with_one = get("/messages/new").select("#phone option[value='0']")
    assert with_one
    sending = compose(client, phone="0", to=LEA, text="Bonjour")
    assert sending.status_code == 302
    sms = db.session.scalars(select(Message)).one()
    assert sms.phone_id != sandbox()


def sandbox():
    return db.session.scalar(select(Phone.id).where(Phone.adapter == OctopushSandbox.key, Phone.deleted_at.is_(None)))


def test_a_sandbox_that_was_deleted_stays_deleted(app, inside):
    sandbox_phone.ensure()
    sandbox_phone.ensure()
    factories.phone()
    deleting.delete(sandbox(), None)
    sandbox_phone.ensure()
    assert names() == ["Mairie"]
    deleting.delete(db.session.scalar(select(Phone.id).where(Phone.name == "Mairie")), None)
    sandbox_phone.ensure()  # there must be something to try RaspiSMS with
    assert names() == ["Bac à sable"]


def test_the_sandbox_is_off_where_nobody_answers_for_it(app, inside):
    sandbox_phone.ensure()
    sandbox_phone.switch_off()
    db.session.expire_all()
    assert db.session.get(Phone, sandbox()).status is PhoneStatus.DISABLED
    sandbox_phone.ensure()
    db.session.expire_all()
    assert db.session.get(Phone, sandbox()).status is PhoneStatus.AVAILABLE
    saving.switch(sandbox(), None, on=False)  # by a person: it stays so
    sandbox_phone.switch_off()
    sandbox_phone.ensure()
    db.session.expire_all()
    assert db.session.get(Phone, sandbox()).status is PhoneStatus.DISABLED


def test_members_learn_no_callback_address(app, client, phone):
    member = factories.signed_in(app, factories.user(app, "bob@example.org", Role.MEMBER))
    for path in ("/phones/", f"/phones/{phone.id}"):
        assert "/callbacks/" in client.get(path).text
        assert "/callbacks/" not in member.get(path).text
    assert member.get(f"/phones/{phone.id}/email").status_code == 403
    assert member.post(f"/phones/{phone.id}/delete", data={"csrf_token": csrf(member, "/phones/")}).status_code == 403
