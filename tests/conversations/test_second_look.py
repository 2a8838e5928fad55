"""What a stranger's reading found: each of these did the wrong thing before."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from raspisms import clock
from raspisms.adapters.base import Reply
from raspisms.clock import now
from raspisms.conversations import actions, counting, threads, unsent_replies
from raspisms.extensions import db
from raspisms.models import (
    Campaign,
    Conversation,
    JournalEntry,
    Message,
    Notice,
    NoticeKind,
    Phone,
    ReplyDraft,
    Role,
    Status,
)
from raspisms.notices import planning
from raspisms.people import contacts, erasure
from raspisms.receiving import incoming, replies
from raspisms.scheduler import clock_jumps
from raspisms.sending import outbox, recall
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from raspisms.web import attention
from tests import factories
from tests.factories import LEA, csrf


@pytest.fixture
def here(app, phone, alice):
    with app.app_context():
        yield db.session.get(Phone, phone.id)
        db.session.rollback()


def hears(phone, text="Bonjour", number=LEA):
    with transaction() as session:
        entry = JournalEntry(phone=phone, phone_id=phone.id, kind="reception", body=b"{text}", received_at=now())
        session.add(entry)
        session.flush()
        replies.apply(session, entry, Reply(number, text, "", "", now()))
    return db.session.scalar(select(Message).order_by(Message.id.desc()).limit(1))


def the_conversation():
    return db.session.scalar(select(Conversation).limit(1))


def campaign(phone, status, name="C"):
    """A message of a campaign that stands so."""
    with transaction() as session:
        made = Campaign(name=name, phone_id=phone.id, text="Venez-vous ?", purpose="information")
        session.add(made)
        session.flush()
        sent_at = now() if status in (Status.SENT, Status.DELIVERED) else None
        session.add(
            Message(
                direction="out",
                phone_id=phone.id,
                number=LEA,
                text="Venez-vous ?",
                status=status,
                campaign_id=made.id,
                sent_at=sent_at,
            )
        )
    return made.id


def test_closing_does_not_swallow_what_nobody_saw(here, client):
    seen = hears(here).id
    hears(here, "URGENT")
    with pytest.raises(actions.Refused):
        actions.close(the_conversation().id, seen)
    assert (the_conversation().unread, the_conversation().is_closed) == (2, False)
    form = {"csrf_token": csrf(client, "/conversations/"), "verb": "close", "conversation": f"1-{seen}"}
    page = client.post("/conversations/bulk", data=form, follow_redirects=True).text
    assert "Un SMS est arrivé entre-temps" in page


def test_an_answer_that_nobody_wrote_answers_nobody(here):
    message = hears(here)
    with transaction() as session:
        incoming.answer_by_itself(session, [(session.get(Message, message.id), "k")], "Fermé")
    threads.mark_read(the_conversation().id, 99)
    assert the_conversation().waiting_since == message.created_at
    outbox.post(here, [LEA], "Alerte")
    assert the_conversation().waiting_since == message.created_at


def test_who_got_no_answer_after_all_waits_again(here):
    message = hears(here)
    answer = outbox.post(here, [LEA], "Oui", user_id=1, expires_at=now() + timedelta(hours=1)).messages[0]
    assert the_conversation().waiting_since is None
    with transaction() as session:
        session.execute(update(Message).where(Message.id == answer.id).values(expires_at=now() - timedelta(seconds=1)))
    from raspisms.sending import expiry

    expiry.expire_now()
    assert the_conversation().waiting_since == message.created_at


def test_a_failed_answer_makes_the_person_wait_again(app, phone, octopush, callbacks, run_jobs, alice):
    from tests.delivery_reports.test_reports import deliveries

    with app.app_context():
        message = hears(db.session.get(Phone, phone.id), number="+33639980004").created_at
        outbox.post(db.session.get(Phone, phone.id), ["+33639980004"], "Oui", user_id=alice.id)
    run_jobs()
    deliveries(octopush, 2)
    run_jobs()
    with app.app_context():
        assert the_conversation().waiting_since == message


def test_a_yes_is_said_to_a_campaign_that_arrived(here):
    first = campaign(here, Status.DELIVERED)
    campaign(here, Status.QUEUED, "jamais partie")
    assert hears(here, "OUI").answered_campaign_id == first


def test_a_word_in_between_does_not_change_what_yes_is_said_to(here):
    first = campaign(here, Status.DELIVERED)
    outbox.post(here, [LEA], "Au fait, merci", user_id=1)
    with transaction() as session:
        session.execute(update(Message).where(Message.campaign_id.is_(None)).values(status=Status.SENT, sent_at=now()))
    assert hears(here, "Oui").answered_campaign_id == first


def test_notes_are_on_the_page_of_the_message_before_them(here):
    for number in range(20):
        hears(here, f"{number}")
    actions.note(the_conversation().id, 1, "ici")
    for number in range(20, 20 + threads.PAGE):
        hears(here, f"{number}")
    newest = threads.thread(the_conversation())
    older = threads.thread(the_conversation(), before=newest.before)
    assert [item.text for item in older.items][-2:] == ["19", "ici"]
    assert "ici" not in [item.text for item in newest.items]


def test_a_clock_that_was_set_back_holds_nothing_for_hours(here):
    [held] = outbox.post(here, [LEA], "Bonjour", user_id=1, hold_seconds=5).messages
    with transaction() as session:
        session.execute(update(Message).values(held_until=now() + timedelta(hours=3)))
        session.add(Notice(user_id=1, kind=NoticeKind.RECEIVED, message_id=held.id, due_at=now() + timedelta(hours=3)))
    clock_jumps.release()
    assert recall.release_due() == recall.NEVER  # it is in the queue
    assert db.session.scalar(select(Notice.due_at)) <= now() + timedelta(hours=1)


def test_two_machines_do_not_send_the_same_letter(here):
    message = hears(here)
    with transaction() as session:
        session.add(Notice(user_id=1, kind=NoticeKind.RECEIVED, message_id=message.id))
    assert len(planning.claim(10)) == 1
    assert planning.claim(10) == []


def test_a_silent_mail_server_is_left_in_peace(here):
    message = hears(here)
    with transaction() as session:
        session.add(Notice(user_id=1, kind=NoticeKind.RECEIVED, message_id=message.id))
    assert planning.is_due()
    planning.rest()
    assert not planning.is_due()


def test_an_undo_keeps_a_draft_that_was_begun_since(here):
    hears(here)
    unsent_replies.keep_draft(1, 1, "Deuxième")
    unsent_replies.give_back(1, 1, "Premier")
    assert unsent_replies.draft_of(1, 1) == "Premier\n\nDeuxième"
    unsent_replies.give_back(1, 1, "Premier\n\nDeuxième")
    assert unsent_replies.draft_of(1, 1) == "Premier\n\nDeuxième"


def test_a_draft_that_comes_after_its_answer_is_none(here, client):
    hears(here)
    form = {"csrf_token": csrf(client, "/conversations/1"), "key": "k1", "text": "Ma réponse", "seen": "1"}
    assert client.post("/conversations/1/reply", data=form).status_code == 302
    assert client.post("/conversations/1/draft", data=form).status_code == 204
    assert unsent_replies.draft_of(1, 1) == ""
    client.post("/conversations/1/draft", data=form | {"key": "k2", "text": "Autre"})
    db.session.rollback()
    assert unsent_replies.draft_of(1, 1) == "Autre"


def test_what_was_called_back_can_be_sent_from_the_same_form(here, client):
    hears(here)
    form = {"csrf_token": csrf(client, "/conversations/1"), "key": "k1", "text": "Oui", "seen": "1"}
    client.post("/conversations/1/reply", data=form)
    client.post("/messages/2/recall", data=form)
    client.post("/conversations/1/reply", data=form)
    db.session.rollback()
    assert list(db.session.scalars(select(Message.status).order_by(Message.id)))[1:] == [Status.CANCELLED, Status.HELD]


def test_a_double_click_sends_once(here, client):
    hears(here)
    form = {"csrf_token": csrf(client, "/conversations/1"), "key": "k1", "text": "Oui", "seen": "1"}
    for _ in range(3):
        client.post("/conversations/1/reply", data=form)
    assert db.session.query(Message).filter_by(direction="out").count() == 1


def test_two_colleagues_at_the_same_moment_do_not_both_answer(app, here):
    hears(here)
    bob = factories.user(app, "bob@example.org", Role.MEMBER)
    alice = db.session.get(type(bob), 1)
    statuses, barrier = [], threading.Barrier(2)

    def answer(user):
        browser = factories.signed_in(app, user)
        form = {"csrf_token": csrf(browser, "/conversations/1"), "key": user.email, "text": user.email, "seen": "1"}
        barrier.wait()
        statuses.append(browser.post("/conversations/1/reply", data=form).status_code)

    workers = [threading.Thread(target=answer, args=(user,)) for user in (alice, bob)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(statuses) == [302, 409]


def test_phones_of_one_account_spend_from_one_purse(app, here):
    from decimal import Decimal

    from raspisms.figures import days

    factories.phone("Secours", number="+33755552222")
    for one in db.session.scalars(select(Phone)):
        factories.billed(one, Decimal("14"), days_ago=1)
    days.count(clock.today() - timedelta(days=1))
    assert {one.a_day for one in attention.attention().forecasts} == {Decimal("2")}


def test_an_away_answer_does_not_leave_in_the_morning(here, monkeypatch):
    from raspisms.team import opening_hours

    preferences.save(preferences.Choices(open_days=(0,), away_text="Fermé"))
    monkeypatch.setattr(opening_hours, "closed_since", lambda *_: now())
    hears(here)
    [answer] = db.session.query(Message).filter_by(direction="out")
    assert now() < answer.expires_at <= now() + timedelta(hours=1)


def test_nothing_of_a_person_is_left_in_the_new_tables(here):
    saved = contacts.save(None, None, "Léa", LEA, {})
    message = hears(here, "secret")
    actions.note(1, 1, "secret")
    unsent_replies.keep_draft(1, 1, "secret")
    actions.tag(1, "secret")
    with transaction() as session:
        entry = session.scalar(select(JournalEntry))
        session.execute(update(JournalEntry).values(body=b"secret"))
        session.add(Notice(user_id=1, kind=NoticeKind.RECEIVED, message_id=message.id))
        assert entry is not None
    with transaction() as session:
        erasure.erase(session, session.get(contacts.Contact, saved.id))
    db.session.rollback()
    tables = ("conversations", "conversation_tags", "notes", "reply_drafts", "notices", "messages", "message_events")
    for table in tables:
        assert db.session.execute(db.text(f"SELECT count(*) FROM {table}")).scalar() == 0, table
    assert db.session.scalar(select(JournalEntry.body)) == b""
    from raspisms.messages import search

    assert search.ids("secret") == []
    assert db.session.scalar(select(ReplyDraft.text)) is None


def test_a_sender_that_is_a_name_cannot_be_answered(here, get):
    hears(here, "Promo", "INFO")
    page = get("/conversations/1")
    assert page.find(id="reply") is None
    assert "On ne peut pas répondre" in page.text


def test_reading_everything_is_done_a_few_at_a_time(here, client, monkeypatch):
    monkeypatch.setattr("raspisms.blueprints.received.READ_TOGETHER", 2)
    last = [hears(here, number=f"+3363998{n:04d}").id for n in range(5)][-1]
    client.post("/received/read", data={"csrf_token": csrf(client, "/received/"), "up_to": last})
    db.session.rollback()
    assert counting.unread_count() == 0
