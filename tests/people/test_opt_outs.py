"""STOP in more words than one, taken back, and answered once."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from raspisms.adapters.base import Reply
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import Direction, Message, OptOut, Phone, Status, StopMark
from raspisms.people import opt_outs
from raspisms.receiving import replies
from raspisms.scheduler import sweep
from raspisms.sms.keywords import is_like_stop, is_start, is_stop
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from tests.factories import LEA


@pytest.fixture
def says(app, phone):
    with app.app_context():

        def says(text):
            with transaction() as session:
                entry = SimpleNamespace(id=None, phone=phone, received_at=now())
                replies.apply(session, entry, Reply(LEA, text, "", "", now()))

        yield says
        db.session.rollback()


def opted_out():
    return list(db.session.scalars(select(OptOut.number).where(OptOut.lifted_at.is_(None))))


@pytest.mark.parametrize("text", ["STOP", " stop. ", "Arrêt", "STOP PUB", "désabonner", "DESINSCRIRE !", "stopsms"])
def test_the_words_alone_stop(says, text):
    says(text)
    assert opted_out() == [LEA]


@pytest.mark.parametrize(
    "text", ["stop s'il vous plaît", "Merci de me désinscrire de la liste", "Arrêtez vos messages", "Ne m’écrivez plus"]
)
def test_more_words_are_for_a_person_to_decide(says, text):
    says(text)
    assert opted_out() == []
    [suspected] = opt_outs.suspected().rows
    opt_outs.decide(suspected.id, None, stops=True)
    assert opted_out() == [LEA]
    assert opt_outs.suspected().rows == []


def test_a_person_may_say_that_it_was_none(says):
    says("Le bus ne s'est pas arrêté au stop")
    [suspected] = opt_outs.suspected().rows
    opt_outs.decide(suspected.id, None, stops=False)
    assert opted_out() == []
    assert db.session.get(Message, suspected.id, populate_existing=True).stop is StopMark.DISMISSED


@pytest.mark.parametrize("text", ["Je suis à l'arrêt de bus", "Merci", "Restart", "non stop-pas-tout"])
def test_other_messages_are_left_alone(text):
    assert (is_stop(text), is_start(text), is_like_stop(text)) == (False, False, "stop" in text)


@pytest.mark.parametrize("text", ["START", "reprendre"])
def test_only_the_person_takes_it_back(says, text):
    says("STOP")
    says(text)
    assert opted_out() == []
    says("STOP")
    assert opted_out() == [LEA]


def test_a_stop_is_answered_once_in_a_life(app, says, octopush, run_jobs):
    preferences.save(preferences.Choices(stop_answer="C’est noté."))
    says("STOP")
    says("START")
    says("STOP")
    sweep.sweep()
    run_jobs()
    assert [(sms.number, sms.text) for sms in octopush.messages] == [(LEA, "C’est noté.")]


def test_nothing_is_answered_unless_the_team_wants_it(says):
    says("STOP")
    assert db.session.scalars(select(Message).where(Message.direction == "out")).all() == []


def test_a_notice_that_is_repeated_after_start_stops_nobody_again(app, phone, callbacks, run_jobs):
    notice = {"number": LEA, "text": "STOP", "stop_date": "2026-11-25 10:00:00"}
    start = {"number": LEA, "text": "START", "reception_date": "2026-11-25 11:00:00"}
    for body in (notice, start, notice):
        assert callbacks.http.post(callbacks.reception, json=body).status_code == 200
        run_jobs()
    with app.app_context():
        assert opt_outs.silent(db.session(), [LEA]) == set()


def test_who_was_taken_off_by_the_team_stays_off_until_something_newer(app, phone):
    with app.app_context():
        earlier = now()
        with transaction() as session:
            opt_outs.add(session, LEA, "report", at=earlier)
        opt_outs.remove(db.session.scalar(select(OptOut.id)), None)
        with transaction() as session:
            assert not opt_outs.add(session, LEA, "report", at=earlier)
            assert opt_outs.add(session, LEA, "report", at=now())


def test_who_said_stop_twice_can_be_forgotten_twice(app, phone):
    """Erased, taken off the list by the team, and pasted into it again."""
    with app.app_context():
        for _ in range(2):
            opt_outs.add_many(LEA, None)
            with transaction() as session:
                opt_outs.forget_number(session, LEA)
            assert opt_outs.silent(db.session(), [LEA]) == {LEA}
            opt_outs.remove(db.session.scalar(select(OptOut.id)), None)
        assert list(db.session.scalars(select(OptOut.number))) == [None]


def test_an_early_word_of_a_stop_counts_at_once(app, phone, callbacks, run_jobs):
    report = {"message_id": "sms_unknown", "number": LEA, "status": "BLACKLISTED_NUMBER"}
    callbacks.http.post(callbacks.status, json=report)
    run_jobs()
    with app.app_context():
        assert db.session.scalar(select(OptOut.number)) == LEA


def test_as_many_doubts_as_there_are_can_be_decided(says, client, get):
    """A hundred people who answer "stop svp" to one campaign: none of them is out of reach."""
    with transaction() as session:
        phone_id = session.scalar(select(Phone.id))
        rows = [
            Message(
                direction=Direction.IN, status=Status.RECEIVED, phone_id=phone_id, number=f"+336399870{n:02}",
                text=f"stop svp {n}", stop=StopMark.SUSPECTED,
            )
            for n in range(60)
        ]  # fmt: skip
        session.add_all(rows)
    assert opt_outs.count_suspected() == 60
    page = get("/opt-outs/")
    assert len(page.find_all("blockquote")) == 50
    further = get(page.find("a", rel="next")["href"])
    assert [one.p.text for one in further.find_all("blockquote")] == [f"stop svp {n}" for n in range(50, 60)]
