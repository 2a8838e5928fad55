"""Migrations, on databases that hold something; and columns that hold other people's words."""

import pytest
from alembic import command

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Campaign, JournalEntry, Message, MessageEvent, ParkedReport, Submission, Trial
from raspisms.sms.purposes import Purpose
from raspisms.storage import schema
from raspisms.storage.transactions import transaction
from tests import factories
from tests.databases import of_version, raw
from tests.factories import LEA, message, post

OLD = "2026-11-01 10:00:00"
# A phone and its account as the first version wrote them, a message on its way, and a stored callback.
ROWS = (
    "INSERT INTO accounts (id, digest, failures) VALUES (1, 'd', 0)",
    "INSERT INTO phones (id, name, adapter, account_id, number, sealed_settings, token_digest, sealed_token, status,"
    f" checks, created_at) VALUES (1, 'Mairie', 'x', 1, '+33755551111', 's', 't', 's', 'available', 0, '{OLD}')",
    "INSERT INTO campaigns (id, name, phone_id, text, purpose, state, turn, created_at)"
    f" VALUES (1, 'Soldes', 1, 'Soldes', 'wholesale', 'done', 0, '{OLD}')",
    "INSERT INTO submissions (id, account_id, phone_id, request_id, state, text, purpose, lane, ticket, attempts,"
    " in_flight, maybe_sent, unreadable, next_attempt_at, created_at)"
    f" VALUES (1, 1, 1, 'r', 'accepted', 'Soldes', 'wholesale', 2, 'sms_1', 1, FALSE, FALSE, 0, '{OLD}', '{OLD}')",
    "INSERT INTO messages (id, direction, phone_id, number, text, status, lane, purpose, batch_key, parts, created_at)"
    f" VALUES (1, 'out', 1, '{LEA}', 'Bonjour', 'queued', 1, 'alert', 'k', 1, '{OLD}')",
    f"INSERT INTO message_events (id, message_id, at, status) VALUES (1, 1, '{OLD}', 'queued')",
    "INSERT INTO journal (id, phone_id, kind, content_type, query, body, received_at, state, spool_id)"
    f" VALUES (1, 1, 'status', '', '', '', '{OLD}', 'new', 'a file')",
    "INSERT INTO parked_reports (id, journal_id, account_id, ticket, number, outcome, words, at, created_at)"
    f" VALUES (1, 1, 1, 'sms_1', '{LEA}', 'delivered', 'DELIVERED', '{OLD}', '{OLD}')",
)


@pytest.fixture
def first(tmp_path, database):
    """A database that the first version filled."""
    with of_version(database, tmp_path, "0001") as app:
        with raw(app.config["SQLALCHEMY_DATABASE_URI"]) as connection:
            for row in ROWS:
                connection.exec_driver_sql(row)
        yield app


def test_what_the_first_version_held_is_still_there(first):
    assert schema.version() is schema.Version.OLD
    schema.upgrade()
    assert schema.version() is schema.Version.CURRENT
    assert [(one.number, one.text, one.expires_at) for one in db.session.query(Message)] == [(LEA, "Bonjour", None)]
    assert db.session.query(MessageEvent).count() == 1
    [campaign], [request], [report] = (db.session.query(one).all() for one in (Campaign, Submission, ParkedReport))
    purposes = [one.purpose for one in (campaign, request, *db.session.query(Message))]
    assert purposes == [Purpose.ADVERTISING, Purpose.ADVERTISING, Purpose.INFORMATION]
    assert (request.provider_id, report.provider_id) == ("sms_1", "sms_1")
    assert [entry.state.value for entry in db.session.query(JournalEntry)] == ["new"]


def test_a_campaign_that_tries_itself_keeps_its_trial_up_and_down(first):
    command.upgrade(schema.alembic_config(), "0009")
    with raw(first.config["SQLALCHEMY_DATABASE_URI"]) as connection:
        tried = f"canary = 5, canary_state = 'waiting', canary_at = '{OLD}'"
        connection.exec_driver_sql(f"UPDATE campaigns SET {tried}")
    schema.upgrade()
    campaign = db.session.get(Campaign, 1)
    assert (campaign.trial, campaign.trial_state) == (5, Trial.WAITING)
    assert campaign.trial_at.isoformat().startswith(OLD[:10])
    db.session.remove()
    command.downgrade(schema.alembic_config(), "0009")
    with raw(first.config["SQLALCHEMY_DATABASE_URI"]) as connection:
        kept = connection.exec_driver_sql("SELECT canary, canary_state FROM campaigns").one()
    assert tuple(kept) == (5, "waiting")


@pytest.mark.parametrize("words", ["x" * 2_000, "avant\0après", "é" * 600])
def test_words_of_others_never_refuse_a_row(app, phone, words):
    [sent] = post(app, phone)
    with app.app_context(), transaction() as session:
        session.add(MessageEvent(message_id=sent, at=now(), status="sent", words=words, code=words))
        session.get(Message, sent).report_words = words
    kept = message(app, sent)
    assert kept.events[-1].words == words.replace("\0", "")[:500]
    assert kept.report_words == words.replace("\0", "")[:64]


def test_a_reply_with_a_character_that_no_database_takes_is_kept(app, callbacks, run_jobs):
    reply = {"number": LEA, "text": "Oui\0 !", "sim_card_number": factories.NUMBER, "reception_date": OLD}
    callbacks.http.post(callbacks.reception, json=reply)
    run_jobs()
    assert [one.text for one in factories.all_messages(app)] == ["Oui !"]
