"""What nobody can tell: only a person decides, and the history says who."""

import pytest

from raspisms.models import Status
from tests.factories import LEA, csrf, let_time_pass, message, post, read_page, ring


@pytest.fixture
def doubtful(app, phone, octopush, run_jobs):
    """A message that the provider took, of which we never learnt it."""
    octopush.switches.reports = False
    octopush.faults.append("cut_after")
    [sent] = post(app, phone)
    run_jobs()
    let_time_pass(app, hours=24)
    ring(app)
    run_jobs()
    assert message(app, sent).status is Status.UNKNOWN
    return sent


def decide(client, message_id, verb):
    token = csrf(client, "/profile/")
    return client.post(f"/messages/{message_id}/{verb}", data={"csrf_token": token}, follow_redirects=True)


def test_it_is_listed_and_announced(get, doubtful):
    assert "1 envoi incertain attend votre décision." in get("/messages/").text
    page = get("/messages/doubts")
    assert len(page.select("tbody tr")) == 1
    buttons = [button.text for button in get(f"/messages/{doubtful}").select("main .buttons button")]
    assert buttons == ["Considérer comme envoyé", "Renvoyer"]


def test_a_person_sends_it_again(app, client, octopush, run_jobs, get, doubtful):
    decide(client, doubtful, "again")
    run_jobs()
    assert message(app, doubtful).status is Status.SENT
    assert len([sms for sms in octopush.messages if sms.number == LEA]) == 2, "as the person was told it might"
    story = get(f"/messages/{doubtful}").find(class_="timeline").text
    assert "Renvoyé par décision d’une personne" in story
    assert "alice@example.org" in story
    assert "Rien n’est incertain." in get("/messages/doubts").text


def test_a_person_leaves_it_at_that(app, client, octopush, run_jobs, get, doubtful):
    decide(client, doubtful, "assume")
    run_jobs()
    assert message(app, doubtful).status is Status.SENT
    assert len(octopush.messages) == 1
    assert "alice@example.org" in get(f"/messages/{doubtful}").find(class_="timeline").text


def test_a_late_report_settles_it_without_a_person(app, client, octopush, callbacks, run_jobs, doubtful):
    report = {"message_id": octopush.messages[0].ticket, "number": LEA, "status": "DELIVERED"}
    callbacks.http.post(callbacks.status, json=report)
    run_jobs()
    assert message(app, doubtful).status is Status.DELIVERED
    page = read_page(decide(client, doubtful, "again"))
    assert "n’est plus dans le doute" in page.text
    run_jobs()
    assert len(octopush.messages) == 1


@pytest.mark.parametrize("verb", ["again", "assume"])
def test_what_is_certain_is_not_decided(app, client, phone, octopush, run_jobs, verb):
    [sent] = post(app, phone)
    run_jobs()
    decide(client, sent, verb)
    assert message(app, sent).status is Status.SENT
    assert len(message(app, sent).events) == 3
