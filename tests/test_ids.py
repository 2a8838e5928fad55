"""An id is given once, and what a page holds is checked for still meaning the same thing."""

import json
from datetime import timedelta

import pytest
from alembic import command
from bs4 import BeautifulSoup
from sqlalchemy import Integer, select, text

from raspisms.campaigns import drafts, launch, lifecycle
from raspisms.campaigns.targets import Targets
from raspisms.clock import now
from raspisms.conversations import actions, removal
from raspisms.extensions import db
from raspisms.models import Campaign, CampaignState, Contact, Conversation, Direction, Message, Phone
from raspisms.people import contact_list, contacts, erasure, groups
from raspisms.receiving import incoming
from raspisms.scheduler import sweep as scheduler
from raspisms.storage import schema
from raspisms.storage.transactions import transaction
from tests.databases import of_version, raw
from tests.desk import (
    fresh,
    sent,
    wish,
    written,
)
from tests.factories import BOB, LEA, all_messages, csrf

OLD = "2026-11-01 10:00:00"


def hears(phone, number, words):
    with transaction() as session:
        return incoming.store(session, session.get_one(Phone, phone.id), number, words, now())


# -- the tables ---------------------------------------------------------------------------------------


def test_every_table_with_an_integer_key_gives_each_id_once(app):
    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
        asked = (
            "SELECT sql FROM sqlite_master WHERE name = :name"
            if is_sqlite
            else "SELECT pg_get_serial_sequence(:name, 'id')"
        )
        for table in db.metadata.sorted_tables:
            keys = list(table.primary_key.columns)
            if len(keys) == 1 and isinstance(keys[0].type, Integer):
                made = db.session.scalar(text(asked), {"name": table.name})
                assert ("AUTOINCREMENT" if is_sqlite else "_id_seq") in made, table.name


@pytest.mark.parametrize("model", [Contact, Conversation, Message, Campaign], ids=lambda model: model.__tablename__)
def test_a_row_that_is_gone_leaves_its_id_to_nobody(at_once, phone, model):
    def make():
        if model is Contact:
            return contacts.save(None, None, "Léa", LEA, {}).id
        if model is Campaign:
            return drafts.save(None, wish(LEA), None).id
        message = hears(phone, LEA, "Bonjour")
        return message.id if model is Message else db.session.scalar(select(Conversation.id))

    first = make()
    with transaction() as session:
        if model in (Message, Conversation):
            removal.remove_received(session, list(session.scalars(select(Message.id))))
            session.execute(text("DELETE FROM conversations"))
        else:
            session.delete(session.get_one(model, first))
    assert make() > first


def test_an_older_database_goes_on_above_every_id_that_is_still_mentioned(tmp_path, database):
    with of_version(database, tmp_path, "0004") as app:
        with raw(app.config["SQLALCHEMY_DATABASE_URI"]) as connection:
            for table, columns in _old_rows().items():
                names, values = ", ".join(columns[0]), ", ".join(f":{name}" for name in columns[0])
                for row in columns:
                    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
            indexes = _indexes(connection)
        command.upgrade(schema.alembic_config(), "0005")  # which builds tables anew
        with raw(app.config["SQLALCHEMY_DATABASE_URI"]) as connection:
            assert indexes <= _indexes(connection)
        schema.upgrade()
        if db.engine.dialect.name == "sqlite":
            ahead = dict(db.session.execute(text("SELECT name, seq FROM sqlite_sequence")).all())
            assert ahead["contacts"] > 4_500
            assert ahead["contact_groups"] > 5_000
            assert ahead["imports"] > 6_000
            assert ahead["campaigns"] > 9_000
        campaign = db.session.get(Campaign, 7)
        assert (campaign.series_id, len(campaign.revision)) == (7, 16)
        assert db.session.get(Contact, 3).version == "4"
        message = db.session.get(Message, 8)
        assert message.figures_at.isoformat().startswith("2026-11-01"), "no day is older than the first phone"


def _old_rows():
    """What a database of version 4 held, by table; every row of a table has the same columns."""
    message = {"direction": "in", "text": "m²", "status": "received", "lane": 1, "purpose": "alert", "parts": 1}
    contact = {"name": "Léa", "data": "{}", "sort_key": "lea", "search": "lea", "origin": "", "consent": ""}
    secrets = {"sealed_settings": "s", "token_digest": "t", "sealed_token": "s"}
    phone = {"name": "M", "adapter": "x", "number": "+33", "status": "available", "checks": 0, "created_at": OLD}
    targets = json.dumps({"contacts": [4_000], "groups": [5_000], "import_id": 6_000, "numbers": []})
    campaign = {"name": "c", "text": "t", "purpose": "alert", "state": "scheduled", "turn": 0, "revision": 3}
    audit = {"at": OLD}
    return {
        "accounts": [{"id": 1, "digest": "d", "failures": 0}],
        "phones": [phone | secrets | {"id": 1, "account_id": 1}],
        "campaigns": [
            campaign
            | {"id": 7, "phone_id": 1, "targets": targets, "position": 0, "hours": "free"}
            | {"repeats": "weekly", "created_at": OLD}
        ],
        "audit_entries": [
            audit | {"id": 1, "action": "campaign launched", "subject": "campaign 9000"},
            audit | {"id": 2, "action": "person erased", "subject": "4500"},
        ],
        "contacts": [contact | {"id": 3, "number": LEA, "version": 4, "created_at": OLD, "updated_at": OLD}],
        "messages": [
            message | {"id": 8, "phone_id": 1, "number": LEA, "batch_key": "", "created_at": "0002-01-02 00:00:00"}
        ],
    }


def _indexes(connection):
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    else:
        rows = connection.exec_driver_sql("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
    return {row[0] for row in rows}


# -- what open pages hold -------------------------------------------------------------------------------


def occurrence(first):
    return db.session.scalar(select(Campaign).where(Campaign.repeat_of_id == first.id))


def comes_round(campaign):
    with transaction() as session:
        session.get_one(Campaign, campaign.id).starts_at = now() - timedelta(seconds=1)
    launch.work(campaign.id)
    scheduler.sweep()


def test_a_series_for_a_contact_who_is_gone_goes_to_nobody_else(at_once, app):
    lea = contacts.save(None, None, "Léa", LEA, {})
    weekly = wish(text="Rappel", targets=Targets(contacts=[lea.id]), repeats="weekly", starts_at=now())
    campaign = drafts.save(None, weekly, None)
    launch.work(campaign.id)
    sent(fresh(campaign.id))
    contacts.delete_some(contact_list.by_ids([lea.id]))
    contacts.save(None, None, "Bob", BOB, {})
    following = occurrence(campaign)
    comes_round(following)
    assert BOB not in [message.number for message in all_messages(app)]
    found = fresh(following.id)
    assert (found.state, found.pause_reason) == (
        CampaignState.CANCELLED,
        "Personne ne recevrait ce SMS\u00a0: voyez ci-dessous pourquoi.",
    )
    assert occurrence(following).state is CampaignState.SCHEDULED, "and the series goes on"


def test_a_series_for_a_group_that_is_gone_says_so(at_once):
    lea = contacts.save(None, None, "Léa", LEA, {})
    group = groups.save(None, "Parents")
    with transaction() as session:
        groups.put(session, group.id, [lea.id])
    weekly = wish(text="Rappel", targets=Targets(groups=[group.id]), repeats="weekly", starts_at=now())
    campaign = drafts.save(None, weekly, None)
    launch.work(campaign.id)
    sent(fresh(campaign.id))
    groups.remove(group.id)
    other = groups.save(None, "Journalistes")
    with transaction() as session:
        groups.put(session, other.id, [contacts.save(None, None, "Bob", BOB, {}).id])
    following = occurrence(campaign)
    comes_round(following)
    assert "n’existe plus" in fresh(following.id).pause_reason


def test_a_stale_tab_launches_no_draft_but_its_own(at_once):
    thrown_away = written(LEA, text="A")
    stale = thrown_away.id, thrown_away.revision
    drafts.remove(thrown_away.id)
    other = written(BOB, text="Pas fini")
    with pytest.raises(lifecycle.Refused):
        launch.send(*stale, None, may_override=False)
    with pytest.raises(lifecycle.Refused):
        launch.send(other.id, stale[1], None, may_override=False)


def test_a_draft_that_changed_is_not_overwritten_by_an_old_page(at_once):
    draft = written(LEA, text="A")
    seen = draft.revision
    drafts.save(draft.id, wish(BOB, text="B"), None, revision=seen)
    with pytest.raises(lifecycle.Refused, match="relisez"):
        drafts.save(draft.id, wish(LEA, text="C"), None, revision=seen)
    assert fresh(draft.id).text == "B"


def _reply_form(client, conversation_id):
    page = BeautifulSoup(client.get(f"/conversations/{conversation_id}").text, "html5lib")
    form = page.find("form", id="reply")
    return {field["name"]: field.get("value", "") for field in form.find_all("input") if field.get("name")}


@pytest.mark.parametrize("other", [False, True], ids=["nobody is there", "somebody else has the id"])
def test_a_stale_reply_reaches_nobody_and_is_given_back(app, at_once, client, phone, other):
    hears(phone, LEA, "Je suis Léa")
    conversation_id = db.session.scalar(select(Conversation.id))
    form = _reply_form(client, conversation_id) | {"text": "Votre code secret est 4821"}
    saved = contacts.save(None, None, "Léa", LEA, {})
    with transaction() as session:
        erasure.erase(session, session.get_one(Contact, saved.id))
    hears(phone, BOB, "Je suis Bob")
    if other:  # as a copy of the database that came back could have it
        conversation_id = db.session.scalar(select(Conversation.id))
    answer = client.post(f"/conversations/{conversation_id}/reply", data=form)
    assert answer.status_code == 409
    assert "Votre code secret est 4821" in answer.text
    assert all_messages(app, direction=Direction.OUT) == []


def test_closing_what_was_seen_leaves_what_was_not(at_once, phone):
    hears(phone, LEA, "un")
    seen = hears(phone, LEA, "spam").id
    with transaction() as session:
        removal.remove_received(session, [seen])
    hears(phone, LEA, "URGENT, rappelez-moi")
    with pytest.raises(actions.Refused):
        actions.close(db.session.scalar(select(Conversation.id)), seen)


def test_a_stale_contact_page_changes_nobody_and_loses_nothing(app, at_once, client):
    lea = contacts.save(None, None, "Léa", LEA, {})
    path = f"/contacts/{lea.id}/edit"
    form = {"name": "Léa Durand", "number": LEA, "version": lea.version, "csrf_token": csrf(client, path)}
    contacts.delete_some(contact_list.by_ids([lea.id]))
    contacts.save(None, None, "Bob", BOB, {})
    answer = client.post(path, data=form)
    page = BeautifulSoup(answer.text, "html5lib")
    assert answer.status_code == 400
    assert "supprimé pendant que vous écriviez" in page.text
    assert (page.find(id="name")["value"], page.find("form", class_="panel")["action"]) == (
        "Léa Durand",
        "/contacts/new",
    )
    assert db.session.scalars(select(Contact.name)).all() == ["Bob"]
