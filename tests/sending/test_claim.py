"""What leaves together, and who may send."""

import subprocess
import sys
from datetime import timedelta

import pytest

from raspisms.extensions import db
from raspisms.machine import processes
from raspisms.messages import hours
from raspisms.models import Account, Contact, Phone, PhoneStatus, Status, Submission
from raspisms.sending import claim, dispatch, lease, outbox, outcome
from raspisms.sms.purposes import Purpose
from raspisms.storage.transactions import transaction
from tests import factories
from tests.factories import BOB, LEA, message, post
from tests.sending.steps import hold, living_holder


def lengths(octopush):
    return [len(request["body"]["recipients"]) for request in octopush.requests]


def test_the_same_text_leaves_in_one_request(app, phone, octopush, run_jobs):
    numbers = [f"+3363998{n:04d}" for n in range(7000, 7005)]
    post(app, phone, *numbers)
    post(app, phone, LEA, text="Autre chose")
    run_jobs()
    assert lengths(octopush) == [5, 1]
    assert [recipient["phone_number"] for recipient in octopush.requests[0]["body"]["recipients"]] == numbers


def test_a_request_holds_five_hundred_at_most(app, phone, octopush, run_jobs):
    octopush.account(factories.LOGIN).credit *= 10
    post(app, phone, *[f"+3361{n:07d}" for n in range(1, 502)])
    run_jobs()
    assert lengths(octopush) == [500, 1]


def test_the_same_number_twice_makes_two_requests(app, phone, octopush, run_jobs):
    first, second = [post(app, phone, LEA)[0] for _ in range(2)]
    run_jobs()
    assert lengths(octopush) == [1, 1]
    tickets = {message(app, sent).submission.provider_id for sent in (first, second)}
    assert len(tickets) == 2


def test_advertising_and_alerts_never_share_a_request(app, phone, octopush, run_jobs, monkeypatch):
    text = "Soldes STOP au 30101"
    monkeypatch.setattr(hours, "opening", lambda *_: None)
    with app.app_context(), transaction() as session:
        session.add(Contact(name="Léa", number=LEA, sort_key="lea", search="lea", consent="Formulaire du 3 mars"))
    post(app, phone, LEA, text=text, purpose=Purpose.ADVERTISING)
    post(app, phone, BOB, text=text)
    run_jobs()
    assert sorted(request["body"]["purpose"] for request in octopush.requests) == ["alert", "wholesale"]


def test_a_disabled_phone_keeps_its_messages(app, phone, octopush, run_jobs):
    with app.app_context(), transaction() as session:
        session.get(Phone, phone.id).status = PhoneStatus.DISABLED
    [sent] = post(app, phone)
    run_jobs()
    assert message(app, sent).status is Status.QUEUED
    assert octopush.requests == []


def test_two_phones_of_one_account_share_its_lease(app, phone, octopush, run_jobs):
    with app.app_context():
        second = factories.phone(name="École", number="+33639989999")
        assert second.account_id == phone.account_id
        other = factories.phone(name="Autre", login="other@example.org")
        assert other.account_id != phone.account_id
    first = post(app, phone, LEA)
    both = first + post(app, second, LEA)
    run_jobs()
    assert {message(app, sent).status for sent in both} == {Status.SENT}
    assert [request["body"]["sender"] for request in octopush.requests] == [phone.number, "+33639989999"]


def test_a_submission_is_committed_before_its_request(app, phone, octopush):
    post(app, phone)
    with app.app_context():
        lease.take(phone.account_id)
        claimed = claim.next_claim(phone.account_id)
        db.session.remove()
        saved = db.session.get(Submission, claimed.submission_id)
        assert saved.in_flight
        assert saved.request_id == claimed.batch.request_id
        assert octopush.requests == []


def test_what_a_dead_process_had_in_flight_is_asked_again_under_the_same_id(app, phone, octopush, run_jobs):
    [sent] = post(app, phone)
    with app.app_context():
        lease.take(phone.account_id)
        claimed = claim.next_claim(phone.account_id)
        with transaction() as session:  # as if that process had been killed
            session.get(Account, phone.account_id).holder = dead_holder()
        db.session.remove()
    factories.ring(app)
    run_jobs()
    factories.let_time_pass(app)
    factories.ring(app)
    run_jobs()
    assert message(app, sent).status is Status.SENT
    assert [request["body"]["request_id"] for request in octopush.requests] == [claimed.batch.request_id]


def dead_holder():
    """The name of a process of this machine that has ended."""
    code = "from raspisms.machine import processes; print(processes.holder())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("holder", "seconds", "free"),
    [
        (dead_holder, 60, True),
        (living_holder, 60, False),
        (living_holder, -3600, False),  # a clock that jumped ahead takes no lease from the living
        (lambda: "another-machine#1#2", 60, False),
        (lambda: "another-machine#1#2", -1, True),
    ],
)
def test_only_the_dead_and_the_long_silent_lose_their_lease(app, phone, holder, seconds, free):
    hold(app, phone, holder(), seconds)
    with app.app_context():
        assert lease.take(phone.account_id) is free


def test_nobody_sends_beside_a_living_holder(app, phone, octopush, run_jobs):
    [sent] = post(app, phone)
    hold(app, phone, living_holder(), 60)
    run_jobs()
    assert message(app, sent).status is Status.QUEUED
    assert octopush.requests == []


def test_a_process_that_lost_its_lease_stops(app, phone, octopush):
    post(app, phone)
    with app.app_context():
        lease.take(phone.account_id)
        hold(app, phone, living_holder(), 60)
        with pytest.raises(lease.LeaseLost):
            claim.next_claim(phone.account_id)


def test_a_second_answer_to_one_submission_changes_nothing(app, phone, octopush, run_jobs):
    from raspisms.adapters.base import RefusedError

    [sent] = post(app, phone)
    run_jobs()
    with app.app_context():
        outcome.record(message(app, sent).submission_id, RefusedError("too late"))
    assert message(app, sent).status is Status.SENT


def test_a_drain_stops_when_it_is_asked_to(app, phone, octopush):
    post(app, phone)
    with app.app_context():
        assert dispatch.drain(phone.account_id, stop=lambda: True) is True
        assert octopush.requests == []
        assert db.session.get(Account, phone.account_id).holder is None


def test_two_machines_never_agree_on_the_time(app, phone, monkeypatch):
    """A is in the middle of a request; B's clock is two minutes ahead."""
    with app.app_context():
        outbox.post(db.session.get(Phone, phone.id), [LEA], "Bonjour")
        monkeypatch.setattr(processes, "machine", lambda: "A")
        assert lease.take(phone.account_id)
        assert claim.next_claim(phone.account_id)
        monkeypatch.setattr(processes, "machine", lambda: "B")
        real = lease.now
        monkeypatch.setattr(lease, "now", lambda: real() + timedelta(minutes=2))
        assert not lease.take(phone.account_id)
        with transaction() as session:  # by the clock that both of them share, it is over
            session.get_one(Account, phone.account_id).held_until = real() - timedelta(seconds=1)
        assert lease.take(phone.account_id)
