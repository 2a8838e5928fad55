"""Numbers to correct: what refusals and reports teach about contacts, and what takes it back."""

import pytest

from raspisms.adapters.base import Outcome, Reply, Report
from raspisms.clock import now
from raspisms.delivery_reports import reports
from raspisms.extensions import db
from raspisms.models import Contact, JournalEntry, Message, Phone
from raspisms.people import contacts, wrong_numbers
from raspisms.receiving import replies
from raspisms.storage.transactions import transaction
from tests.factories import BOB, LEA, post

DEAD = "Ce numéro n’est pas attribué."


@pytest.fixture
def lea(here):
    return contacts.save(None, None, "Léa", LEA, {}).id


def fault(contact_id):
    db.session.rollback()
    return db.session.get(Contact, contact_id, populate_existing=True).fault


def entry(session, kind):
    found = JournalEntry(phone=session.get(Phone, 1), kind=kind, body=b"", received_at=now())
    session.add(found)
    session.flush()
    return found


def reported(outcome, reason=None, **more):
    """What the provider says of the one message that left."""
    sms = db.session.query(Message).one()
    with transaction() as session:
        said = Report(sms.submission.provider_id, sms.number, outcome, outcome.value, reason, now(), **more)
        assert reports.apply_many(session, [(1, entry(session, "status"), said)]) == {1: "report"}


def test_a_number_that_the_provider_refuses_is_to_correct(app, phone, octopush, run_jobs, lea):
    octopush.faults.append("code_103")
    post(app, phone, LEA)
    run_jobs()
    assert fault(lea) is not None


def test_of_many_only_the_refused_one_is_to_correct(app, phone, octopush, run_jobs, lea):
    wrong = contacts.save(None, None, "Faux", "+33639980135", {}).id  # the fake refuses it with 103
    post(app, phone, LEA, "+33639980135", BOB)
    run_jobs()
    assert (fault(lea), fault(wrong) is None) == (None, False)


def test_a_report_of_a_wrong_number_marks_it(app, phone, octopush, run_jobs, lea):
    post(app, phone, LEA)
    run_jobs()
    reported(Outcome.FAILED, DEAD, bad_number=True)
    assert fault(lea) == DEAD


def test_a_failure_of_another_kind_marks_nothing(app, phone, octopush, run_jobs, lea):
    post(app, phone, LEA)
    run_jobs()
    reported(Outcome.FAILED, "Téléphone éteint.")
    assert fault(lea) is None


@pytest.mark.parametrize("how", ["arrived there", "written from there"])
def test_a_number_that_works_is_right_again(app, phone, octopush, run_jobs, lea, how):
    post(app, phone, LEA)
    run_jobs()
    with transaction() as session:
        wrong_numbers.mark(session, [LEA, BOB], DEAD)
    assert fault(lea) == DEAD
    if how == "arrived there":
        reported(Outcome.DELIVERED)
    else:
        with transaction() as session:
            replies.apply_many(session, [(1, entry(session, "reception"), Reply(LEA, "Bonjour", "", "", now()))])
    assert fault(lea) is None
