"""Conversations follow the messages; a second answer is never an accident."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from raspisms.clock import now
from raspisms.conversations import actions, counting, lists, threads
from raspisms.extensions import db
from raspisms.models import Conversation, Message, Status
from raspisms.receiving import incoming
from raspisms.sending import outbox, recall
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from tests.factories import BOB, LEA


def hears(phone, text, number=LEA):
    with transaction() as session:
        return incoming.store(session, phone, number, text, now())


def says(phone, text, number=LEA, user_id=1, **more):
    return outbox.post(phone, [number], text, user_id=user_id, **more).messages[0]


def the_conversation():
    return db.session.query(Conversation).one()


def test_what_comes_in_is_unread_on_top_and_waits(here):
    hears(here, "Bonjour", BOB)
    message = hears(here, "Êtes-vous ouverts ?")
    page = lists.page(lists.Asked(), 1)
    assert [hit.conversation.number for hit in page.hits] == [LEA, BOB]
    first = page.hits[0].conversation
    assert (first.unread, first.waiting_since) == (1, message.created_at)
    assert counting.unread_count() == 2


def test_an_answer_ends_the_wait_and_reading_the_unread(here):
    hears(here, "Un")
    hears(here, "Deux")
    says(here, "Oui")
    found = the_conversation()
    assert found.waiting_since is None
    assert found.unread == 2
    threads.mark_read(found.id, up_to=1)
    assert the_conversation().unread == 1
    threads.mark_read(found.id, up_to=99)
    assert counting.unread_count() == 0


def test_a_failed_or_cancelled_answer_is_none(here):
    asked = hears(here, "Un")
    answer = says(here, "Oui", hold_seconds=60)
    recall.call_back(answer.id, 1)
    assert the_conversation().waiting_since == asked.created_at


def test_a_stop_wants_no_answer_and_does_not_reopen(here):
    hears(here, "Bonjour")
    actions.close(the_conversation().id, 99)
    hears(here, "STOP")
    found = the_conversation()
    assert found.is_closed
    assert found.waiting_since is None
    hears(here, "Encore moi")
    assert not the_conversation().is_closed


def test_a_yes_to_a_campaign_wants_no_answer(here):
    asked = says(here, "Venez-vous ?")
    with transaction() as session:
        session.get(Message, asked.id).campaign_id = None
        answered = session.get(Message, asked.id)
        answered.campaign_id = None
        message = incoming.store(session, here, LEA, "Oui !", now(), answered)
        message.answered_campaign_id = 1
        counting.recount_of(session, [(here.id, LEA)])
    assert the_conversation().waiting_since is None


def test_a_thread_holds_messages_and_notes_in_their_order_a_page_at_a_time(here):
    for number in range(threads.PAGE + 5):
        hears(here, f"{number}")
    conversation = the_conversation()
    actions.note(conversation.id, 1, "Vue hier")
    newest = threads.thread(conversation)
    assert newest.items[-1].text == "Vue hier"
    assert [item.text for item in newest.items[:2]] == ["5", "6"]
    older = threads.thread(conversation, before=newest.before)
    assert [item.text for item in older.items] == ["0", "1", "2", "3", "4"]
    assert older.before is None


def test_a_colleagues_answer_is_seen_before_a_second_one(here, app):
    from raspisms.models import Role
    from tests import factories

    bob = factories.user(app, "bob@example.org", Role.MEMBER)
    hears(here, "Bonjour")
    conversation = the_conversation()
    seen = threads.thread(conversation).newest_id
    answer = says(here, "Bonjour, oui", user_id=bob.id)
    with transaction() as session:
        assert threads.answer_since(session, conversation, seen, 1).id == answer.id
        assert threads.answer_since(session, conversation, answer.id, 1) is None
        assert threads.answer_since(session, conversation, seen, bob.id) is None
    hears(here, "Et demain ?")
    with transaction() as session:
        assert threads.answer_since(session, conversation, seen, 1) is None


def test_the_list_goes_on_where_it_stopped(here):
    for number in range(lists.PAGE + 3):
        hears(here, "Bonjour", f"+3363998{number:04d}")
    first = lists.page(lists.Asked(), 1)
    second = lists.page(lists.Asked(), 1, first.next)
    numbers = [hit.conversation.number for hit in (*first.hits, *second.hits)]
    assert len(numbers) == len(set(numbers)) == lists.PAGE + 3
    assert second.next is None
    assert lists.page(lists.Asked(), 1, "no place at all").is_first


def test_views_and_labels_choose(here):
    hears(here, "Un")
    hears(here, "Deux", BOB)
    lea, bob = db.session.query(Conversation).order_by(Conversation.id)
    actions.assign(lea.id, 1)
    actions.tag(lea.id, "  mariage  civil ")
    actions.close(bob.id, 99)

    def shown(**asked):
        return [hit.conversation.number for hit in lists.page(lists.Asked(**asked), 1).hits]

    assert shown(view="mine") == [LEA]
    assert shown(view="free") == []
    assert shown(view="closed") == [BOB]
    assert shown(view="all", tag="mariage civil") == [LEA]
    assert shown(view="unread") == [LEA]
    assert lists.counts(1) == {"unread": 1, "mine": 1}


@pytest.mark.parametrize("name", ["", " ", "x" * 41])
def test_a_label_that_cannot_be_is_refused(here, name):
    hears(here, "Un")
    with pytest.raises(actions.Refused):
        actions.tag(the_conversation().id, name)


def test_a_held_message_leaves_once_its_moment_has_passed(here):
    message = says(here, "Bonjour", hold_seconds=60)
    assert recall.release_due() > 50
    assert db.session.get(Message, message.id).status is Status.HELD
    with transaction() as session:
        session.get(Message, message.id).held_until = now()
    assert recall.release_due() == recall.NEVER
    assert db.session.get(Message, message.id).status is Status.QUEUED
    with pytest.raises(recall.TooLate):
        recall.call_back(message.id, 1)


def test_the_choice_of_the_team_is_five_seconds_unless_it_says_otherwise(here):
    assert preferences.current().undo_single == 5


def test_a_reply_stands_below_its_question_whatever_the_providers_clock(here, app):
    preferences.save(preferences.Choices(undo_single=0))
    outbox.post(here, [LEA], "Venez-vous demain ?")
    with transaction() as session:
        incoming.store(session, here, LEA, "oui", now() - timedelta(seconds=45))
    outbox.post(here, [LEA], "Merci !")
    conversation = db.session.scalar(select(Conversation))
    assert [one.text for one in threads.thread(conversation).items] == ["Venez-vous demain ?", "oui", "Merci !"]
