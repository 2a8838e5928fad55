"""Stored before it is answered, applied exactly once, lost never."""

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import select, update

from raspisms import job_queue, jobs
from raspisms.clock import now
from raspisms.delivery_reports import reports
from raspisms.extensions import bell, db
from raspisms.models import JournalEntry, JournalState, Message, Role, Status
from raspisms.receiving import inbox, journal
from raspisms.storage.transactions import transaction
from tests import factories
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
        return [callback for _, _, callback in reader.first(100)]


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
    until(lambda: len(octopush.callbacks.deliveries) == 2)
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
    factories.poison_replies(monkeypatch)
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
    from raspisms.storage.transactions import StorageUnavailable

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


PART = b"--x\r\nContent-Disposition: form-data; %s\r\n\r\nabc\r\n--x--\r\n"
POISON = [
    ("multipart/form-data; boundary=x; a*", PART % b"name=number"),
    ("multipart/form-data; boundary=x", PART % b"name=number; a*"),
    ("multipart/form-data", b"--"),
    ("application/json", b"[" * 100_000),
    ("application/json", b'{"number": ' + b"9" * 6_000 + b"}"),
    ("application/x-www-form-urlencoded", b"number=%FF%FE%00&text=%ED%A0%80"),
    ("\xff" * 200, b"\xff" * 200),
]


@pytest.mark.parametrize(("content_type", "body"), POISON, ids=range(len(POISON)))
def test_whatever_a_stranger_writes_holds_up_nobody(app, callbacks, run_jobs, content_type, body):
    headers = {"Content-Type": content_type.encode("latin-1")}
    assert callbacks.http.post(callbacks.reception, data=body, headers=headers).status_code == 200
    callbacks.http.post(callbacks.reception, json=REPLY)
    run_jobs()
    sweep(app)
    [poison, reply] = entries(app)
    assert poison.state in {JournalState.UNREADABLE, JournalState.APPLIED}
    assert reply.state is JournalState.APPLIED
    assert "Oui" in [found.text for found in all_messages(app)]


def test_reading_that_raises_anything_is_unreadable(app, callbacks, run_jobs, monkeypatch):
    from raspisms.adapters.octopush import callbacks as octopush_callbacks

    def unforeseen(_callback):
        raise IndexError("nobody thought of it")

    monkeypatch.setattr(octopush_callbacks, "read", unforeseen)
    callbacks.http.post(callbacks.reception, json=REPLY)
    run_jobs()
    [entry] = entries(app)
    assert (entry.state, entry.outcome) == (JournalState.UNREADABLE, "IndexError")


@pytest.fixture
def fails(monkeypatch):
    """Replies with this text cannot be applied."""
    from raspisms.receiving import replies

    real, texts = replies.apply, {"poison"}

    def apply(session, entry, reply):
        if reply.text in texts:
            raise RuntimeError("a mistake of ours")
        return real(session, entry, reply)

    monkeypatch.setattr(replies, "apply", apply)
    return texts


def test_what_fails_is_tried_again_alone(app, callbacks, run_jobs, fails):
    undated = [{"number": LEA, "text": "Oui"}, {"number": LEA, "text": "poison"}]
    callbacks.http.post(callbacks.reception, json=undated)
    run_jobs()
    [entry] = entries(app)
    assert (entry.state, entry.attempts, entry.results) == (JournalState.NEW, 1, ["reply", None])
    assert entry.next_attempt_at is not None
    with app.app_context():
        assert not journal.has_new(), "not at once"
    fails.clear()
    come_to_pass(app)
    with app.app_context(), transaction() as session:  # long after what is taken for a repetition without a date
        session.execute(update(Message).values(created_at=now() - timedelta(hours=2)))
        session.execute(update(JournalEntry).values(received_at=now()))
    sweep(app)
    run_jobs()
    assert [found.text for found in all_messages(app)] == ["Oui", "poison"]
    assert [(entry.state, entry.outcome) for entry in entries(app)] == [(JournalState.APPLIED, "reply, reply")]


def test_what_breaks_a_whole_transaction_is_found_out_one_by_one(app, callbacks, run_jobs, monkeypatch):
    real = journal._apply_together

    def breaks(session, waiting):
        real(session, waiting)
        if any(b"poison" in entry.body for entry in waiting):
            raise KeyError("at the very end")

    monkeypatch.setattr(journal, "_apply_together", breaks)
    for words in ("un", "poison", "deux"):
        callbacks.http.post(callbacks.reception, json=REPLY | {"text": words})
    run_jobs()
    assert [found.text for found in all_messages(app)] == ["un", "deux"]
    for _ in journal.PATIENCE:
        come_to_pass(app)
        sweep(app)
        run_jobs()
    assert [entry.state for entry in entries(app)] == [JournalState.APPLIED, JournalState.FAILED, JournalState.APPLIED]


def test_the_limit_of_a_job_is_nobodys_fault(app, callbacks, run_jobs, monkeypatch):
    from rq.timeouts import JobTimeoutException

    from raspisms.receiving import replies

    real, struck = replies.apply, []

    def strikes(session, entry, reply):
        if not struck:
            struck.append(1)
            raise JobTimeoutException("time is over")
        return real(session, entry, reply)

    monkeypatch.setattr(replies, "apply", strikes)
    callbacks.http.post(callbacks.reception, json=REPLY)
    run_jobs()
    [entry] = entries(app)
    assert (entry.state, entry.attempts) == (JournalState.NEW, 0)
    sweep(app)
    run_jobs()
    assert [found.text for found in all_messages(app)] == ["Oui"]


def test_a_job_stops_before_its_limit_and_rings_for_the_rest(app, phone, callbacks, run_jobs, monkeypatch):
    monkeypatch.setattr(jobs, "APPLY_BUDGET", 0.05)
    with app.app_context():
        for number in range(300):
            body = json.dumps({"number": f"+336110{number:05}", "text": f"réponse {number}"}).encode()
            journal.store([journal.spooled(phone.id, "reception", "application/json", "", body)])
        bell.ring(job_queue.RECEIVING, job_queue.APPLY_CALLBACKS, timeout=job_queue.APPLY_SECONDS)
        run_jobs()
    assert len(all_messages(app)) == 300


# -- the inbox ------------------------------------------------------------------------------------------


def files_of(app):
    path = Path(app.config["INSTANCE"]) / "callbacks.db"
    return [path.with_name(path.name + rest) for rest in ("", "-wal", "-shm")]


def test_an_older_inbox_beside_a_newer_journal_swallows_nothing(app, callbacks, run_jobs, tmp_path):
    def says(*numbers):
        for number in numbers:
            callbacks.http.post(callbacks.reception, json=REPLY | {"text": f"n{number}"})

    says(1)
    run_jobs()
    callbacks.app.extensions["inbox"].close()
    for file in files_of(app):
        if file.exists():
            shutil.copy(file, tmp_path / file.name)
    says(2, 3, 4)
    run_jobs()
    callbacks.app.extensions["inbox"].close()
    for file in files_of(app):
        file.unlink(missing_ok=True)
        if (tmp_path / file.name).exists():
            shutil.copy(tmp_path / file.name, file)
    says(5, 6, 7)
    run_jobs()
    assert [found.text for found in all_messages(app)] == [f"n{number}" for number in range(1, 8)]


@pytest.mark.parametrize("damage", [b"not a database, not even nearly" * 200, b"\0" * 8192], ids=["words", "zeros"])
@pytest.mark.parametrize("reader", [False, True], ids=["a callback finds it", "the clock finds it"])
def test_a_damaged_inbox_is_set_aside_and_said(app, callbacks, client, run_jobs, damage, reader):
    callbacks.http.post(callbacks.reception, json=REPLY)
    callbacks.app.extensions["inbox"].close()
    for file in files_of(app):
        file.unlink(missing_ok=True)
    files_of(app)[0].write_bytes(damage)
    if reader:
        sweep(app)
    assert callbacks.http.post(callbacks.reception, json=REPLY | {"text": "après"}).status_code == 200
    run_jobs()
    sweep(app)
    assert [found.text for found in all_messages(app)] == ["après"]
    with app.app_context():
        [aside] = inbox.inbox().damaged()
    assert aside.read_bytes() == damage
    assert aside.name in client.get("/callbacks-in-trouble/").text
    assert "callback n’a pas pu être lu" in client.get("/").text


def test_an_inbox_from_before_letters_had_names_goes_on(app, phone, callbacks, run_jobs):
    with sqlite3.connect(files_of(app)[0]) as connection:
        connection.executescript(
            "CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, phone_id INTEGER NOT NULL, kind TEXT NOT NULL,"
            " content_type TEXT NOT NULL, query TEXT NOT NULL, body BLOB NOT NULL, received_at TEXT NOT NULL);"
            "CREATE TABLE identity (name TEXT NOT NULL); INSERT INTO identity VALUES ('old');"
        )
        row = (phone.id, "reception", "application/json", "", json.dumps(REPLY).encode(), now().isoformat())
        connection.execute(
            "INSERT INTO inbox (phone_id, kind, content_type, query, body, received_at) VALUES (?, ?, ?, ?, ?, ?)", row
        )
    connection.close()
    callbacks.http.post(callbacks.reception, json=REPLY | {"text": "nouveau"})
    run_jobs()
    assert [found.text for found in all_messages(app)] == ["Oui", "nouveau"]


# -- the page -------------------------------------------------------------------------------------------


def test_what_could_not_be_applied_is_on_a_page_with_another_try(app, callbacks, client, run_jobs, fails):
    callbacks.http.post(callbacks.reception, data=b"<html>")
    callbacks.http.post(callbacks.reception, json=REPLY | {"text": "poison"})
    for _ in range(len(journal.PATIENCE) + 1):
        sweep(app)
        run_jobs()
        come_to_pass(app)
    assert "2 callbacks n’ont pas pu être lus" in client.get("/").text.replace("\xa0", " ")
    page = client.get("/callbacks-in-trouble/").text
    assert "&lt;html&gt;" in page
    assert "RuntimeError" in page
    fails.clear()
    token = factories.csrf(client, "/callbacks-in-trouble/")
    [unreadable, failed] = entries(app)
    client.post(f"/callbacks-in-trouble/{failed.id}/again", data={"csrf_token": token})
    client.post(f"/callbacks-in-trouble/{unreadable.id}/aside", data={"csrf_token": token})
    run_jobs()
    assert [found.text for found in all_messages(app)] == ["poison"]
    assert "Tout ce qui est arrivé a été lu" in client.get("/callbacks-in-trouble/").text
    member = factories.signed_in(app, factories.user(app, "bob@example.org", Role.MEMBER))
    assert member.get("/callbacks-in-trouble/").status_code == 403
