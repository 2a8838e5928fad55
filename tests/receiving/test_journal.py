"""Stored before it is answered, applied exactly once, lost never."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from sqlalchemy import select, update

from raspisms.database import transaction
from raspisms.extensions import db
from raspisms.models import JournalEntry, JournalState, Status
from raspisms.receiving import inbox, journal, reports
from tests.databases import break_down, fill_the_disk, find_room, locked
from tests.factories import LEA, NUMBER, all_messages, message, post, sweep, until

REPLY = {"number": LEA, "text": "Oui", "sim_card_number": NUMBER, "reception_date": "2026-11-23 14:05:10"}


def entries(app):
    """What is in the journal, once what waited is there."""
    with app.app_context():
        journal.import_inbox()
        return list(db.session.scalars(select(JournalEntry).order_by(JournalEntry.id)))


def waiting(app):
    """What is in the inbox."""
    with app.app_context(), inbox.inbox().reading() as reader:
        return [letter for _, _, letter in reader.first(100)]


def come_to_pass(app):
    """What waits for another try is due."""
    with app.app_context(), transaction() as session:
        session.execute(update(JournalEntry).values(next_attempt_at=None))


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


def test_a_locked_database_keeps_no_callback_waiting(app, callbacks, run_jobs):
    with locked(app.config["SQLALCHEMY_DATABASE_URI"]):
        answer = callbacks.http.post(callbacks.reception, json=REPLY)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.elapsed.total_seconds() < 1
        assert len(waiting(app)) == 1
    run_jobs()
    assert len(all_messages(app)) == 1
    assert waiting(app) == []


def test_a_database_that_is_gone_turns_no_known_address_away(app, callbacks):
    assert callbacks.http.post(callbacks.reception, json=REPLY).status_code == 200
    callbacks.app.extensions["tokens seen"] = {
        digest: (phone_id, 0.0) for digest, (phone_id, _) in callbacks.app.extensions["tokens seen"].items()
    }
    break_down(app.config["SQLALCHEMY_DATABASE_URI"], "phones")
    assert callbacks.http.post(callbacks.reception, json=REPLY | {"text": "Non"}).status_code == 200
    assert len(waiting(app)) == 2


def test_a_callback_is_imported_once_whatever_dies_in_between(app, callbacks, run_jobs, monkeypatch):
    callbacks.http.post(callbacks.reception, json=REPLY)
    with monkeypatch.context() as patch:
        patch.setattr(inbox.Reader, "forget", lambda *_: (_ for _ in ()).throw(SystemExit))
        with app.app_context(), pytest.raises(SystemExit):
            journal.import_inbox()
    assert len(waiting(app)) == 1
    assert len(entries(app)) == 1
    assert waiting(app) == []


def test_an_inbox_that_was_made_anew_starts_with_other_names(app, callbacks, run_jobs):
    for text in ("Oui", "Non"):
        callbacks.http.post(callbacks.reception, json=REPLY | {"text": text})
        run_jobs()
        callbacks.app.extensions["inbox"].close()
        for path in Path(app.config["INSTANCE"]).glob("callbacks.db*"):
            path.unlink()
    assert [found.text for found in all_messages(app)] == ["Oui", "Non"]


def test_letters_that_come_together_are_each_kept_once(app, callbacks, run_jobs):
    texts = [f"Oui {n}" for n in range(60)]

    def post(text):
        return requests.post(callbacks.reception, json=REPLY | {"text": text}, timeout=10).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(post, texts)) == {200}
    run_jobs()
    assert sorted(found.text for found in all_messages(app)) == sorted(texts)


def test_an_inbox_that_takes_nothing_is_told_to_the_provider(app, callbacks):
    callbacks.app.extensions["inbox"].close()
    callbacks.app.extensions["inbox"].path = Path("/proc/nowhere/callbacks.db")
    assert callbacks.http.post(callbacks.reception, json=REPLY).status_code == 503


def test_a_fault_of_ours_in_many_reports_is_met_one_by_one(app, phone, octopush, callbacks, run_jobs, monkeypatch):
    monkeypatch.setattr(reports, "apply_many", lambda *_: 1 / 0)
    [sent] = post(app, phone)
    run_jobs()
    until(lambda: len(octopush.postman.deliveries) == 2)
    run_jobs()
    assert message(app, sent).status is Status.DELIVERED
    assert [entry.state for entry in entries(app)] == [JournalState.APPLIED] * 2


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
    assert [entry.state for entry in entries(app)] == [JournalState.NEW, JournalState.APPLIED]
    for _ in journal.PATIENCE:
        come_to_pass(app)
        sweep(app)
        run_jobs()
    assert [entry.state for entry in entries(app)] == [JournalState.FAILED, JournalState.APPLIED]
    assert [found.text for found in all_messages(app)] == ["Oui"]


def test_the_outcome_of_each_item_is_noted(app, callbacks, run_jobs):
    callbacks.http.post(callbacks.reception, json=[REPLY, REPLY, {"number": LEA, "visit_date": "2026-01-01"}])
    run_jobs()
    assert entries(app)[0].outcome == "reply, repeated, ignored"


def test_a_full_database_delays_what_it_cannot_apply(app, callbacks, run_jobs):
    from raspisms.database import StorageUnavailable

    callbacks.http.post(callbacks.reception, json=REPLY | {"text": "x" * 100_000})
    entries(app)
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


def test_an_unknown_address_and_an_unreadable_database_are_told_apart(app, callbacks):
    break_down(app.config["SQLALCHEMY_DATABASE_URI"], "phones")
    answer = callbacks.http.post(callbacks.reception, json=REPLY)
    assert (answer.status_code, answer.content) == (503, b"")


def test_an_inbox_that_was_removed_while_it_was_open_loses_nothing_more(app, callbacks, run_jobs):
    callbacks.http.post(callbacks.reception, json=REPLY)
    run_jobs()
    for path in Path(app.config["INSTANCE"]).glob("callbacks.db*"):
        path.unlink()
    callbacks.http.post(callbacks.reception, json=REPLY | {"text": "Non"})
    run_jobs()
    assert [found.text for found in all_messages(app)] == ["Oui", "Non"]
