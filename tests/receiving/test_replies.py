"""Messages from people, from their handset to the page."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import requests
from sqlalchemy import select

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Message, OptOut
from tests import factories
from tests.factories import BOB, LEA, LOGIN, NUMBER, all_messages, is_well_received, message, post, until


@pytest.fixture
def write(octopush, callbacks, run_jobs):
    """A handset writes to us, through the pretended Octopush and our public application."""

    def write(text, number=LEA, to=NUMBER, **more):
        before = len(octopush.callbacks.deliveries)
        body = {"login": LOGIN, "number": number, "to": to, "text": text} | more
        assert requests.post(f"{octopush.control}/replies", json=body, timeout=5).status_code == 201
        count = before + (2 if more.get("notice") else 1)
        found = until(lambda: len(octopush.callbacks.deliveries) >= count and octopush.callbacks.deliveries)
        assert is_well_received(found[-1]), found[-1]
        run_jobs()

    return write


def received(app):
    return all_messages(app, direction="in")


@pytest.mark.parametrize("text", ["Oui merci", "", "0", "😀 à bientôt", "x" * 1600, "a\nb", "ça & là = +"])
@pytest.mark.parametrize("manner", ["", "form", "array", "no_content_type", "text_plain", "number_without_plus"])
def test_every_text_in_every_manner_is_stored_as_it_is(app, write, text, manner):
    write(text, manner=manner)
    [found] = received(app)
    assert (found.text, found.number, found.phone.number) == (text, LEA, NUMBER)
    assert found.read_at is None


def test_a_reply_knows_what_it_answers(app, phone, write, run_jobs):
    [sent] = post(app, phone, LEA)
    run_jobs()
    write("Oui", date_key="answer_date")
    assert received(app)[0].reply_to_id == sent


def test_a_stranger_may_write(app, write):
    write("Bonjour, êtes-vous ouverts ?", number=BOB, with_ticket=False)
    assert received(app)[0].reply_to_id is None


@pytest.fixture
def post_reply(callbacks, run_jobs):
    def post_reply(url=None, **changes):
        body = {
            "message_id": "",
            "number": LEA,
            "text": "Oui",
            "sim_card_number": NUMBER,
            "reception_date": "2026-11-23 14:05:10",
        } | changes
        assert callbacks.http.post(url or callbacks.reception, json=body).status_code == 200
        run_jobs()

    return post_reply


def test_the_same_reply_delivered_twice_is_one_message(app, callbacks, post_reply):
    post_reply()
    post_reply()
    post_reply(url=callbacks.status)  # and either URL takes it
    post_reply(number="33612345678".replace("612345678", "639987001"), sim_card_number="33755551111")
    assert len(received(app)) == 1


@pytest.mark.parametrize("changes", [{"text": "Non"}, {"number": BOB}, {"reception_date": "2026-11-23 14:05:11"}])
def test_two_replies_that_differ_are_two_messages(app, post_reply, changes):
    post_reply()
    post_reply(**changes)
    assert len(received(app)) == 2


@pytest.mark.parametrize("date", [None, "", "bientôt"])
def test_without_a_usable_date_a_repetition_is_told_by_its_time(app, post_reply, date):
    post_reply(reception_date=date)
    post_reply(reception_date=date)
    post_reply(reception_date=date, text="Autre chose")
    assert [found.text for found in received(app)] == ["Oui", "Autre chose"]


def test_several_numbers_of_one_account_are_told_apart(app, phone, post_reply):
    with app.app_context():
        school = factories.phone(name="École", number="+33639989999")
    post_reply(sim_card_number="33639989999", text="pour l'école")
    post_reply(sim_card_number=NUMBER, text="pour la mairie")
    post_reply(sim_card_number="+33611111111", text="pour un numéro inconnu")
    post_reply(sim_card_number="", text="sans numéro")
    assert [found.phone_id for found in received(app)] == [school.id, phone.id, phone.id, phone.id]


def test_a_number_of_another_account_is_not_reached_through_ours(app, phone, post_reply):
    with app.app_context():
        factories.phone(name="Autre", login="other@example.org", number="+33639989999")
    post_reply(sim_card_number="+33639989999")
    assert received(app)[0].phone_id == phone.id


@pytest.mark.parametrize("text", ["STOP", "stop", "Arrêt", " Stop. "])
def test_stop_puts_the_number_on_the_list_and_sending_respects_it(app, phone, write, octopush, run_jobs, text):
    write(text)
    assert post(app, phone, LEA) == []
    with app.app_context():
        assert [row.number for row in db.session.scalars(select(OptOut))] == [LEA]
    assert received(app)[0].text == text


def test_a_stop_with_its_notice_is_shown_once(app, phone, write):
    write("STOP", notice=True)
    assert len(received(app)) == 1
    assert post(app, phone, LEA) == []


@pytest.mark.parametrize("which", ["status", "reception"])
def test_an_opt_out_notice_alone_counts_at_either_url(app, phone, callbacks, run_jobs, which):
    body = {"message_id": "x", "number": LEA, "text": "stop", "stop_date": "2026-11-23 14:06:00"}
    callbacks.http.post(getattr(callbacks, which), json=body)
    run_jobs()
    assert post(app, phone, LEA) == []
    assert [found.text for found in received(app)] == ["stop"]


def test_a_sender_without_a_number_is_stored(app, post_reply):
    post_reply(number="Octopush")
    assert received(app)[0].number == "Octopush"


def test_a_received_message_is_dated_by_the_provider(app, post_reply):
    said = (now() - timedelta(hours=30)).replace(microsecond=0)
    post_reply(reception_date=said.astimezone(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%d %H:%M:%S"))
    assert received(app)[0].created_at == said


@pytest.mark.parametrize(
    "date", ["0002-01-02 12:00:00", "1969-12-31 23:00:00", "2106-02-08 00:00:00", "9999-12-31 23:59:59"]
)
def test_a_date_that_cannot_be_true_is_replaced_and_kept_aside(app, post_reply, date):
    post_reply(reception_date=date)
    [message] = received(app)
    assert abs(message.created_at - now()) < timedelta(minutes=1)
    with app.app_context():
        [event] = db.session.get(Message, message.id).events
        assert event.said_at.year in {int(date[:4]), int(date[:4]) - 1}


def test_history_of_a_received_message(app, post_reply):
    post_reply()
    assert [event.status.value for event in message(app, received(app)[0].id).events] == ["received"]


def test_a_notice_delivered_twice_is_shown_once(app, callbacks, run_jobs):
    body = {"message_id": "x", "number": LEA, "text": "STOP 36180", "stop_date": "2026-11-23 14:06:00"}
    for _ in range(2):
        callbacks.http.post(callbacks.reception, json=body)
        run_jobs()
    assert len(received(app)) == 1
