"""The public doors: what they answer, to whom, and what else they have (nothing)."""

import pytest

from raspisms import create_callbacks_app
from raspisms.extensions import db
from raspisms.phones import tokens
from tests.factories import fresh_phone

BODIES = [b"", b"\x00\xff", b"{}", b'{"broken', b"a" * 1000, b"message_id=1&number=2&status=ACK"]


@pytest.mark.parametrize("kind", ["status", "reception"])
@pytest.mark.parametrize("body", BODIES)
def test_every_body_gets_an_empty_200(callbacks, kind, body):
    answer = callbacks.http.post(getattr(callbacks, kind), data=body)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_robot_that_only_looks_gets_its_200(callbacks):
    answer = callbacks.http.get(callbacks.status)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_query_string_is_a_last_resort(app, callbacks, run_jobs):
    from tests.factories import LEA, NUMBER, all_messages

    query = {"number": LEA, "text": "Oui", "sim_card_number": NUMBER, "reception_date": "2026-11-23 14:05:10"}
    callbacks.http.get(callbacks.reception, params=query)
    run_jobs()
    assert [found.text for found in all_messages(app)] == ["Oui"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_mebibyte_is_too_much(callbacks, chunked):
    body = b"a" * (1024 * 1024)
    answer = callbacks.http.post(callbacks.status, data=iter([body]) if chunked else body)
    assert (answer.status_code, answer.content) == (413, b"")


@pytest.mark.parametrize("token", ["x", "A" * 43, "é" * 43, "%00", "a" * 5000])
def test_wrong_tokens_get_the_same_empty_404(callbacks, token):
    answer = callbacks.http.post(f"{callbacks.url}/callbacks/{token}/status", data=b"{}")
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_wrong_token_hides_behind_the_same_answer_as_no_page(callbacks):
    wrong = callbacks.http.post(f"{callbacks.url}/callbacks/wrong/status")
    nothing = callbacks.http.post(f"{callbacks.url}/nothing/here")
    assert wrong.status_code == nothing.status_code == 404
    assert wrong.content == nothing.content
    assert {k: v for k, v in wrong.headers.items() if k != "Date"} == {
        k: v for k, v in nothing.headers.items() if k != "Date"
    }


def test_a_renewed_token_shuts_the_old_door(app, phone, callbacks):
    with app.app_context():
        tokens.renew(phone.id)
        renewed = tokens.urls(fresh_phone(app, phone), callbacks.url)
    assert callbacks.http.post(callbacks.status, data=b"{}").status_code == 404
    assert callbacks.http.post(renewed.status, data=b"{}").status_code == 200


def test_the_token_is_stored_neither_in_clear_nor_guessable(app, phone):
    with app.app_context():
        token = tokens.urls(phone).status.split("/")[-2]
        row = db.session.execute(db.text("SELECT * FROM phones")).mappings().one()
    assert len(token) == 43  # 32 bytes
    assert token not in str(dict(row))


def test_the_public_application_has_callbacks_and_nothing_else(settings):
    app = create_callbacks_app(settings)
    assert {rule.rule for rule in app.url_map.iter_rules()} == {"/callbacks/<token>/<any(status, reception):kind>"}


@pytest.mark.parametrize("path", ["/", "/login", "/messages/", "/static/app.js", "/health/live", "/bootstrap/static/x"])
def test_no_page_is_reachable_through_it(callbacks, path):
    answer = callbacks.http.get(callbacks.url + path)
    assert (answer.status_code, answer.content) == (404, b"")


def test_the_lan_application_takes_callbacks_too(visitor, app, phone):
    with app.app_context():
        path = tokens.urls(phone, "").status
    assert visitor.post(path, data=b"{}").status_code == 200
    assert visitor.post("/callbacks/wrong/status", data=b"{}").status_code == 404


def test_a_failure_everywhere_is_said_so_that_the_provider_may_repeat(callbacks, app, monkeypatch):
    from raspisms.receiving import journal

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "keep", full)
    answer = callbacks.http.post(callbacks.status, data=b"{}")
    assert (answer.status_code, answer.content) == (503, b"")
