"""Delivery reports, from the provider's network to the page."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import delete, select

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import JournalEntry, JournalState, Message, MessageEvent, OptOut, ParkedReport, Status
from raspisms.people import opt_outs
from raspisms.sandbox import magic
from raspisms.storage.transactions import transaction
from tests.factories import BOB, LEA, deliveries, is_well_received, message, post

FINAL = {
    "NOT_DELIVERED": Status.FAILED,
    "NOT_ALLOWED": Status.FAILED,
    "BLACKLISTED_NUMBER": Status.FAILED,
    "BAD_DESTINATION": Status.FAILED,
    "UNKNOWN_DELIVERY": Status.UNKNOWN,
    "UNDEFINED": Status.UNKNOWN,
    "EXPIRED": Status.FAILED,
    "OUT_OF_DATE": Status.FAILED,
    "ANTI_FLOODING": Status.FAILED,
    "INVALID_DESTINATION_ADDRESS": Status.FAILED,
    "PROCESSED": Status.SENT,
    "TRANSMITTED": Status.SENT,
    "ISP_SEND": Status.SENT,
    "READ": Status.DELIVERED,
    "OPENED": Status.DELIVERED,
    "CLICKED": Status.DELIVERED,
    "SPAM_PRESUMPTION": Status.FAILED,
    "NOT_DELIVERABLE": Status.FAILED,
    "BUSY": Status.FAILED,
    "REFUSED": Status.FAILED,
    "SOMETHING_NEW": Status.UNKNOWN,
}


def journal(app):
    with app.app_context():
        return [
            (entry.state, entry.outcome) for entry in db.session.scalars(select(JournalEntry).order_by(JournalEntry.id))
        ]


def parked(app):
    with app.app_context():
        return list(db.session.scalars(select(ParkedReport)))


@pytest.mark.parametrize(("number", "word"), magic.STATUSES.items(), ids=magic.STATUSES.values())
def test_every_status_of_the_provider(app, client, phone, octopush, callbacks, run_jobs, number, word):
    [sent] = post(app, phone, number)
    run_jobs()
    deliveries(octopush, 2)
    run_jobs()
    found = message(app, sent)
    assert found.status is FINAL[word]
    assert {event.words for event in found.events} >= {"ACK", word}
    assert word in client.get(f"/messages/{sent}").text


@pytest.mark.parametrize(
    ("number", "manner"),
    [(number, manner) for number, manner in magic.MANNERS.items() if manner not in {"none", "before_answer"}],
    ids=lambda value: value.lstrip("+"),
)
def test_every_manner_of_arriving(app, phone, octopush, callbacks, run_jobs, number, manner):
    [sent] = post(app, phone, number)
    run_jobs()
    deliveries(octopush, {"doubled": 4, "failed_then_delivered": 3, "delivered_then_failed": 3}.get(manner, 2))
    run_jobs()
    found = message(app, sent)
    assert found.status is Status.DELIVERED
    assert found.delivered_at
    words = [event.words for event in found.events if event.words]
    assert len(words) == len(set(words)), "a repetition adds nothing"


def test_a_report_before_the_answer_is_kept_and_matched(app, phone, octopush, callbacks, run_jobs):
    [sent] = post(app, phone, "+33639980209")
    run_jobs("sending")
    assert is_well_received(octopush.callbacks.deliveries[0])
    run_jobs()
    assert message(app, sent).status is Status.DELIVERED


def test_an_early_report_waits_for_its_ticket(app, phone, octopush, callbacks, run_jobs):
    report = {"message_id": "sms_early", "number": LEA, "status": "DELIVERED", "delivery_date": "2026-11-23 15:00:00"}
    callbacks.http.post(callbacks.status, json=report)
    run_jobs()
    assert [row.provider_id for row in parked(app)] == ["sms_early"]

    from raspisms.sandbox import api

    ticket, api.new_ticket = api.new_ticket, lambda: "sms_early"
    try:
        [sent] = post(app, phone, LEA)
        run_jobs()
    finally:
        api.new_ticket = ticket
    assert message(app, sent).status is Status.DELIVERED
    assert parked(app) == []


def test_a_foreign_report_changes_nothing_and_is_kept_for_a_while(app, phone, octopush, callbacks, run_jobs):
    [sent] = post(app, phone)
    run_jobs()
    deliveries(octopush, 2)
    run_jobs()
    report = {"message_id": "sms_foreign", "number": LEA, "status": "NOT_DELIVERED"}
    assert callbacks.http.post(callbacks.status, json=report).status_code == 200
    run_jobs()
    assert message(app, sent).status is Status.DELIVERED
    assert [row.provider_id for row in parked(app)] == ["sms_foreign"]
    assert journal(app)[-1] == (JournalState.APPLIED, "early")


def test_one_report_of_a_shared_ticket_concerns_one_person(app, phone, octopush, callbacks, run_jobs):
    good, bad = post(app, phone, LEA, "+33639980001")
    run_jobs()
    deliveries(octopush, 4)
    run_jobs()
    assert message(app, good).submission_id == message(app, bad).submission_id
    assert message(app, good).status is Status.DELIVERED
    assert message(app, bad).status is Status.FAILED


def test_another_account_cannot_report_on_our_messages(app, phone, octopush, callbacks, run_jobs):
    from tests import factories

    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    with app.app_context():
        stranger = factories.phone(name="Autre", login="other@example.org", number="+33639989999")
        status, _ = factories.callback_urls(stranger, callbacks.url)
    ticket = message(app, sent).submission.provider_id
    callbacks.http.post(status, json={"message_id": ticket, "number": LEA, "status": "DELIVERED"})
    run_jobs()
    assert message(app, sent).status is Status.SENT


def test_the_other_phone_of_the_account_may_carry_the_report(app, phone, octopush, callbacks, run_jobs):
    from tests import factories

    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    with app.app_context():
        second = factories.phone(name="École", number="+33639989999")
        _, reception = factories.callback_urls(second, callbacks.url)
    ticket = message(app, sent).submission.provider_id
    callbacks.http.post(reception, json={"message_id": ticket, "number": LEA, "status": "DELIVERED"})
    run_jobs()
    assert message(app, sent).status is Status.DELIVERED


def test_a_number_that_the_provider_calls_opted_out_is_on_our_list(app, phone, octopush, callbacks, run_jobs):
    post(app, phone, "+33639980003")
    run_jobs()
    deliveries(octopush, 2)
    run_jobs()
    with app.app_context():
        assert [row.origin for row in db.session.scalars(select(OptOut))] == ["report"]


def test_a_late_word_does_not_hide_the_reason(app, client, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    ticket = message(app, sent).submission.provider_id
    for word in ("BAD_DESTINATION", "ACK"):
        callbacks.http.post(callbacks.status, json={"message_id": ticket, "number": LEA, "status": word})
        run_jobs()
    assert message(app, sent).status is Status.FAILED
    page = BeautifulSoup(client.get(f"/messages/{sent}").text, "html5lib")
    assert "pas attribué" in page.find(class_="notice").text


def put(callbacks, run_jobs, *reports):
    for report in reports:
        assert callbacks.http.post(callbacks.status, json=report).status_code == 200
    run_jobs()


def said(message_id, number, status, at="2026-11-25 10:00:00"):
    return {"message_id": message_id, "number": number, "status": status, "delivery_date": at}


@pytest.mark.parametrize("late", ["ACK", "NOT_DELIVERED", "UNKNOWN_DELIVERY", "PROCESSED"])
def test_nothing_late_moves_what_was_delivered(app, phone, octopush, callbacks, run_jobs, late):
    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    ticket = message(app, sent).submission.provider_id
    earlier, later = ((now() - timedelta(hours=hours)).isoformat() for hours in (2, 1))
    put(callbacks, run_jobs, said(ticket, LEA, "DELIVERED", earlier))
    first = message(app, sent)
    put(callbacks, run_jobs, said(ticket, LEA, late, later))
    second = message(app, sent)
    assert (second.status, second.delivered_at, second.report_words) == (
        Status.DELIVERED,
        first.delivered_at,
        "DELIVERED",
    )
    assert len(second.events) == len(first.events) + 1, "and it is in the history"


def test_what_is_no_report_among_others_hides_none_of_them(app, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    ids = post(app, phone, LEA, BOB)
    run_jobs()
    ticket = message(app, ids[0]).submission.provider_id
    put(callbacks, run_jobs, [said(ticket, LEA, "DELIVERED"), None, 12, "x", [], said(ticket, BOB, "DELIVERED")])
    assert {message(app, one).status for one in ids} == {Status.DELIVERED}


def test_a_repeated_report_that_somebody_stopped_is_older_than_their_start(app, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    stops = said(
        message(app, sent).submission.provider_id, LEA, "BLACKLISTED_NUMBER", (now() - timedelta(hours=2)).isoformat()
    )
    put(callbacks, run_jobs, stops)
    start = {"number": LEA, "text": "START", "reception_date": (now() - timedelta(hours=1)).isoformat()}
    callbacks.http.post(callbacks.reception, json=start)
    put(callbacks, run_jobs, stops)
    with app.app_context():
        assert opt_outs.silent(db.session(), [LEA]) == set()
    put(callbacks, run_jobs, stops | {"delivery_date": now().isoformat(), "status": "BLACKLISTED_NUMBER"})
    with app.app_context():
        assert opt_outs.silent(db.session(), [LEA]) == {LEA}, "a later one counts"


@pytest.mark.parametrize("date", ["0002-01-02 10:00:00", "2106-02-08 00:00:00"])
def test_a_report_from_another_age_is_dated_now_and_says_so(app, phone, octopush, callbacks, run_jobs, date):
    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    put(callbacks, run_jobs, said(message(app, sent).submission.provider_id, LEA, "DELIVERED", date))
    found = message(app, sent)
    assert abs(found.delivered_at - now()) < timedelta(minutes=1)
    assert found.events[-1].said_at.year in {int(date[:4]), int(date[:4]) - 1}


def test_somebody_who_was_erased_stops_all_the_same(app, phone, octopush, callbacks, run_jobs):
    octopush.switches.reports = False
    [sent] = post(app, phone)
    run_jobs()
    ticket = message(app, sent).submission.provider_id
    with app.app_context(), transaction() as session:
        session.execute(delete(MessageEvent))
        session.execute(delete(Message))
    put(callbacks, run_jobs, said(ticket, LEA, "BLACKLISTED_NUMBER"))
    with app.app_context():
        assert opt_outs.silent(db.session(), [LEA]) == {LEA}
        assert list(db.session.scalars(select(OptOut.number))) == [None], "only a digest tells it"
        assert journal(app)[-1][1] == "erased"
