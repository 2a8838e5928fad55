"""Accepting messages: a row each, once, whatever the queue does."""

import pytest

from raspisms.extensions import bell, db
from raspisms.models import Lane, OptOut, Phone, Status
from raspisms.sending import outbox
from raspisms.storage.transactions import transaction
from tests.factories import BOB, LEA, all_messages, message, post, sweep


def test_each_number_gets_one_row(app, phone):
    ids = post(app, phone, LEA, BOB, LEA, text="a" * 161)
    assert [message(app, sent).number for sent in ids] == [LEA, BOB]
    assert {message(app, sent).parts for sent in ids} == {2}


def test_the_same_form_posted_twice_is_one_message(app, phone):
    first = post(app, phone, LEA, form_key="k")
    again = post(app, phone, LEA, form_key="k")
    other = post(app, phone, LEA, form_key="other")
    assert first == again != other
    assert len(all_messages(app)) == 2


def test_people_who_said_stop_are_left_out_and_named(app, phone):
    with app.app_context():
        with transaction() as session:
            session.add(OptOut(number=LEA, origin="reply"))
        posted = outbox.post(db.session.get(Phone, phone.id), [LEA, BOB], "Bonjour")
    assert posted.opted_out == [LEA]
    assert [sent.number for sent in posted.messages] == [BOB]


@pytest.mark.parametrize("text", ["", "  \n", "a" * 1225])
def test_texts_that_cannot_be_sent_are_refused(app, phone, text):
    with pytest.raises(outbox.Refused) as refused, app.app_context():
        outbox.post(db.session.get(Phone, phone.id), [LEA], text)
    assert refused.value.field == "text"
    assert all_messages(app) == []


@pytest.mark.parametrize("text", ["0", " 0 ", "a" * 1224, "😀"])
def test_texts_that_others_refuse_by_mistake_are_taken(app, phone, octopush, run_jobs, text):
    post(app, phone, LEA, text=text)
    run_jobs()
    assert octopush.messages[0].text == text


def test_line_ends_are_those_of_telephones(app, phone):
    [sent] = post(app, phone, LEA, text="a\r\nb\rc")
    assert message(app, sent).text == "a\nb\nc"


def test_without_a_queue_server_messages_wait_and_leave_when_it_is_back(app, phone, octopush, run_jobs):
    alive = app.extensions["bell"]
    from redis import Redis

    app.extensions["bell"] = Redis.from_url("unix:///nonexistent/valkey.sock")
    [sent] = post(app, phone)
    sweep(app)
    assert message(app, sent).status is Status.QUEUED

    app.extensions["bell"].close()
    app.extensions["bell"] = alive
    sweep(app)
    run_jobs()
    assert message(app, sent).status is Status.SENT
    assert len(octopush.messages) == 1


def test_a_wiped_queue_loses_nothing(app, phone, octopush, run_jobs):
    [sent] = post(app, phone)
    app.extensions["bell"].flushall()
    run_jobs()
    assert message(app, sent).status is Status.QUEUED
    sweep(app)
    run_jobs()
    assert message(app, sent).status is Status.SENT


def test_many_rings_make_one_job(app, phone, octopush):
    for _ in range(5):
        post(app, phone, text="Bonjour")
    with app.app_context():
        assert app.extensions["bell"].llen(f"rq:queue:{bell.own('sending')}") == 1


def test_replies_leave_before_single_messages_and_those_before_bulk(app, phone, octopush, run_jobs):
    post(app, phone, LEA, text="bulk", lane=Lane.BULK)
    post(app, phone, LEA, text="single", lane=Lane.SINGLE)
    post(app, phone, LEA, text="reply", lane=Lane.REPLY)
    run_jobs()
    assert [request["body"]["text"] for request in octopush.requests] == ["reply", "single", "bulk"]


def test_an_edited_text_or_a_new_number_is_no_repetition(app, phone):
    first = post(app, phone, LEA, text="RDV 14 h", form_key="k")
    edited = post(app, phone, LEA, BOB, text="RDV 15 h", form_key="k")
    more = post(app, phone, LEA, BOB, "+33639987003", text="RDV 15 h", form_key="k")
    assert first[0] not in edited
    assert more[:2] == edited
    assert [message(app, sent).number for sent in more] == [LEA, BOB, "+33639987003"]
