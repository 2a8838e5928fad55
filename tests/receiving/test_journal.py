"""Stored before it is answered, applied exactly once, lost never."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from raspisms.extensions import db
from raspisms.models import JournalEntry, JournalState
from raspisms.receiving import journal
from tests.databases import fill_the_disk, find_room, locked
from tests.factories import LEA, NUMBER, all_messages, sweep

REPLY = {"number": LEA, "text": "Oui", "sim_card_number": NUMBER, "reception_date": "2026-11-23 14:05:10"}


def entries(app):
    with app.app_context():
        return list(db.session.scalars(select(JournalEntry).order_by(JournalEntry.id)))


def spool(app):
    return list((Path(app.config["INSTANCE"]) / "spool").glob("*"))


def test_a_callback_is_stored_before_it_is_applied(app, callbacks):
    assert callbacks.http.post(callbacks.reception, json=REPLY).status_code == 200
    [entry] = entries(app)
    assert entry.state is JournalState.NEW
    assert b'"Oui"' in entry.body
    assert all_messages(app) == []


def test_applying_twice_changes_nothing(app, callbacks, run_jobs):
    callbacks.http.post(callbacks.reception, json=REPLY)
    for _ in range(2):
        with app.app_context():
            journal.apply_new()
    run_jobs()
    assert len(all_messages(app)) == 1


def test_a_wiped_queue_delays_and_loses_nothing(app, callbacks, run_jobs):
    callbacks.http.post(callbacks.reception, json=REPLY)
    app.extensions["bell"].flushall()
    run_jobs()
    assert all_messages(app) == []
    sweep(app)
    run_jobs()
    assert len(all_messages(app)) == 1


def test_without_a_queue_server_the_sweep_applies_by_itself(app, callbacks):
    from redis import Redis

    callbacks.http.post(callbacks.reception, json=REPLY)
    app.extensions["bell"].flushall()
    alive, app.extensions["bell"] = app.extensions["bell"], Redis.from_url("unix:///nonexistent/valkey.sock")
    sweep(app)
    app.extensions["bell"].close()
    app.extensions["bell"] = alive
    assert len(all_messages(app)) == 1


def test_a_locked_database_sends_callbacks_to_the_spool(app, callbacks, run_jobs):
    with locked(app.config["SQLALCHEMY_DATABASE_URI"]):
        answer = callbacks.http.post(callbacks.reception, json=REPLY)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.elapsed.total_seconds() < 1
        assert len(spool(app)) == 1
    assert entries(app) == []

    sweep(app)
    run_jobs()
    assert len(all_messages(app)) == 1
    assert spool(app) == []


def test_a_spooled_callback_is_imported_once(app, callbacks, run_jobs):
    with locked(app.config["SQLALCHEMY_DATABASE_URI"]):
        callbacks.http.post(callbacks.reception, json=REPLY)
    [file] = spool(app)
    content = file.read_bytes()
    sweep(app)
    file.write_bytes(content)  # as if the machine had stopped before the file was removed
    sweep(app)
    assert len(entries(app)) == 1


@pytest.mark.parametrize("body", [b'{"number": "+336', b"\x00\xff\xfe", b"<html>", b"[1, 2]"])
def test_what_cannot_be_read_is_answered_kept_and_marked(app, callbacks, run_jobs, body):
    answer = callbacks.http.post(callbacks.status, data=body)
    assert (answer.status_code, answer.content) == (200, b"")
    run_jobs()
    [entry] = entries(app)
    assert (entry.state, entry.body) == (JournalState.UNREADABLE, body)


def test_one_bad_entry_does_not_hold_up_the_next(app, callbacks, run_jobs, monkeypatch):
    from raspisms.receiving import replies

    real = replies.apply

    def fails_once(session, entry, reply):
        if reply.text == "poison":
            raise RuntimeError("a mistake of ours")
        return real(session, entry, reply)

    monkeypatch.setattr(replies, "apply", fails_once)
    callbacks.http.post(callbacks.reception, json=REPLY | {"text": "poison"})
    callbacks.http.post(callbacks.reception, json=REPLY)
    run_jobs()
    assert [entry.state for entry in entries(app)] == [JournalState.FAILED, JournalState.APPLIED]
    assert [found.text for found in all_messages(app)] == ["Oui"]


def test_the_outcome_of_each_item_is_noted(app, callbacks, run_jobs):
    callbacks.http.post(callbacks.reception, json=[REPLY, REPLY, {"number": LEA, "visit_date": "2026-01-01"}])
    run_jobs()
    assert entries(app)[0].outcome == "reply, repeated, ignored"


def test_a_full_database_sends_callbacks_to_the_spool(app, callbacks):
    fill_the_disk(callbacks.app)
    long = REPLY | {"text": "x" * 100_000}
    answer = callbacks.http.post(callbacks.reception, json=long)
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(spool(app)) == 1
    sweep(app)  # the other process finds room again
    assert len(entries(app)) == 1


def test_a_full_database_delays_what_it_cannot_apply(app, callbacks, run_jobs):
    from raspisms.database import StorageUnavailable

    callbacks.http.post(callbacks.reception, json=REPLY | {"text": "x" * 100_000})
    fill_the_disk(app)
    with app.app_context(), pytest.raises(StorageUnavailable):
        journal.apply_new()
    assert [entry.state for entry in entries(app)] == [JournalState.NEW]

    with app.app_context():
        find_room(app)
        journal.apply_new()
    assert len(all_messages(app)) == 1


def test_half_an_emoji_is_replaced_and_its_neighbours_arrive(app, callbacks, run_jobs):
    second = REPLY | {"reception_date": "2026-11-23 14:05:11"}
    body = json.dumps([REPLY | {"text": "Merci \ud83d"}, second]).encode()
    callbacks.http.post(callbacks.reception, data=body)
    run_jobs()
    assert [found.text for found in all_messages(app)] == ["Merci \ufffd", "Oui"]


ORPHAN = '{"phone_id": 999, "kind": "status", "body": "x", "received_at": "2026-11-23T14:00:00+00:00"}'


@pytest.mark.parametrize("content", ["", "{}", "not json", ORPHAN, ORPHAN.replace("+00:00", "")])
def test_a_bad_file_in_the_spool_is_set_aside_and_holds_up_nothing(app, phone, callbacks, run_jobs, content):
    folder = Path(app.config["INSTANCE"]) / "spool"
    folder.mkdir()
    (folder / "0-bad.json").write_text(content)
    callbacks.http.post(callbacks.reception, json=REPLY)
    app.extensions["bell"].flushall()
    sweep(app)
    run_jobs()
    assert len(all_messages(app)) == 1
    assert [path.name for path in folder.iterdir()] == ["0-bad.bad"]
