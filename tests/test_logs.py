"""The log names things by id: it holds no text, no number, no key."""

import logging

import pytest
from sqlalchemy.exc import IntegrityError

from raspisms.models import OptOut
from raspisms.storage.transactions import transaction
from tests.factories import KEY, LEA, LOGIN, NUMBER, let_time_pass, post, ring, until

TEXT = "Un texte que personne d’autre ne doit lire"
REPLY = "Une réponse confidentielle"


def test_a_whole_story_leaves_no_word_in_the_log(app, client, phone, octopush, callbacks, run_jobs, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.INFO)
    for number in (LEA, "+33639980107", "+33639980136", "+33639980103", "+33639980130"):
        post(app, phone, number, text=TEXT)
        run_jobs()
        let_time_pass(app)
        ring(app)
        run_jobs()
    reply = {"number": LEA, "text": REPLY, "sim_card_number": NUMBER, "reception_date": "2026-11-23 14:05:10"}
    callbacks.http.post(callbacks.reception, json=reply)
    callbacks.http.post(callbacks.status, data=b'{"text": "' + REPLY.encode())
    run_jobs()
    until(lambda: octopush.callbacks.deliveries)
    run_jobs()
    said = "\n".join(record.getMessage() + str(record.exc_info or "") for record in caplog.records)
    assert "submission=1 accepted" in said
    token = callbacks.status.split("/")[-2]
    for secret in (TEXT, REPLY, KEY, LOGIN, token, LEA, NUMBER, "639980107", "639987001"):
        assert secret not in said


def test_a_database_error_hides_its_values(app):
    with app.app_context():
        add_opt_out()
        with pytest.raises(IntegrityError) as caught:
            add_opt_out()
    assert LEA not in str(caught.value)


def add_opt_out():
    with transaction() as session:
        session.add(OptOut(number=LEA, origin="reply"))
