"""After a restore of any copy nothing leaves by itself: somebody decides."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from raspisms.campaigns import drafts, launch
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.messages.restored import current
from raspisms.models import (
    Account,
    Campaign,
    CampaignState,
    Decision,
    Message,
    Restoration,
    Role,
    Status,
    Submission,
)
from raspisms.phones.settings import open_adapter
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import claim, dispatch, lease, outcome, restoration, unknown_outcomes
from raspisms.storage.transactions import transaction
from tests import factories
from tests.desk import (
    fresh,
    wish,
)
from tests.factories import BOB, LEA, message, post, ring, sweep


@pytest.fixture
def restored(app, phone, octopush, run_jobs):
    """A message left after the copy was made, in which it still waits; the ids of that one and of another."""
    [gone] = post(app, phone, LEA)
    [waiting] = post(app, phone, BOB, text="autre")
    with app.app_context():
        before = {table: _rows(table) for table in ("accounts", "messages", "submissions", "message_events")}
        db.session.rollback()
    run_jobs()
    assert len(octopush.messages) == 2
    with app.app_context(), transaction() as session:
        for table in ("message_events", "messages", "submissions", "accounts"):
            if table != "accounts":
                session.execute(text(f"DELETE FROM {table}"))
        session.execute(update(Account).values(departures=before["accounts"][0]["departures"]))
        for table in ("messages", "message_events"):
            for row in before[table]:
                names = ", ".join(row)
                session.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(row)})"), row)
        session.expire_all()
    octopush.messages.clear()
    ring(app)
    run_jobs()
    return gone, waiting


def _rows(table):
    return [dict(row) for row in db.session.execute(text(f"SELECT * FROM {table}")).mappings()]


def held(app):
    with app.app_context():
        return restoration.held(db.session())


def decide(app, decision):
    with app.app_context():
        restoration.decide(current(db.session()).id, decision, None)


def test_what_waited_in_an_older_copy_is_held(app, phone, octopush, run_jobs, restored):
    for _ in range(3):
        sweep(app)
        run_jobs()
    assert octopush.messages == []
    assert held(app) == 2
    assert {message(app, one).status for one in restored} == {Status.QUEUED}


def test_what_people_write_from_then_on_leaves(app, phone, octopush, run_jobs, restored):
    [new] = post(app, phone, LEA, text="nouveau")
    run_jobs()
    assert message(app, new).status is Status.SENT
    assert new > max(restored) + restoration.AHEAD / 2, "ids go on far above the copy's"
    assert [one.text for one in octopush.messages] == ["nouveau"]


def test_somebody_lets_it_leave(app, octopush, run_jobs, restored):
    decide(app, Decision.SEND)
    ring(app)
    run_jobs()
    assert len(octopush.messages) == 2
    with app.app_context(), pytest.raises(restoration.Refused):
        restoration.decide(1, Decision.SEND, None)


def test_somebody_keeps_it_back_and_decides_about_each(app, octopush, run_jobs, restored, alice):
    decide(app, Decision.KEEP_BACK)
    ring(app)
    run_jobs()
    assert octopush.messages == []
    assert {message(app, one).status for one in restored} == {Status.UNKNOWN}
    assert message(app, restored[0]).events[-1].reason == restoration.MAY_HAVE_LEFT
    with app.app_context():
        assert unknown_outcomes.count() == 2
        unknown_outcomes.send_again(restored[1], alice.id)
    run_jobs()
    assert message(app, restored[1]).status is Status.SENT
    assert held(app) == 0


def test_what_is_kept_back_is_worked_off_by_the_clock(app, restored, monkeypatch):
    monkeypatch.setattr(restoration, "work", lambda seconds=0: None)
    decide(app, Decision.KEEP_BACK)
    assert held(app) == 2
    monkeypatch.undo()
    sweep(app)
    assert held(app) == 0


def test_a_held_message_does_not_expire(app, phone, octopush, restored):
    with app.app_context(), transaction() as session:
        session.execute(update(Message).values(expires_at=now() - timedelta(minutes=1)))
    sweep(app)
    assert {message(app, one).status for one in restored} == {Status.QUEUED}, "nobody knows whether it left"


def test_what_is_to_begin_later_begins(app, at_once, restored):
    campaigns = {}
    for name, starts in (("now", now() - timedelta(minutes=1)), ("later", now() + timedelta(days=1))):
        campaign = drafts.save(None, wish(LEA, starts_at=starts), None)
        launch.work(campaign.id)
        launch.send(campaign.id, fresh(campaign.id).revision, None, may_override=False)
        launch.work(campaign.id)
        campaigns[name] = campaign.id
    with transaction() as session:
        found = current(session)
        found.last_campaign_id = max(campaigns.values())
        found.last_message_id = session.scalar(select(func.max(Message.id)))
        session.execute(text("UPDATE campaigns SET state = 'scheduled' WHERE id = :id"), {"id": campaigns["now"]})
    scheduler.sweep()
    assert fresh(campaigns["now"]).state is CampaignState.SCHEDULED
    restoration.decide(current(db.session()).id, Decision.KEEP_BACK, None)
    assert fresh(campaigns["now"]).state is CampaignState.CANCELLED
    assert fresh(campaigns["later"]).state is CampaignState.SCHEDULED
    later = select(Message.status).where(Message.campaign_id == campaigns["later"])
    assert set(db.session.scalars(later)) == {Status.QUEUED}


def test_a_folder_that_was_copied_back_is_noticed_when_it_starts(app, phone, run_jobs, monkeypatch):
    post(app, phone)
    run_jobs()
    with app.app_context():
        restoration.look()
        assert current(db.session()) is None, "nothing was copied"
        path = Path(app.config["INSTANCE"]) / restoration.FILE
        shutil.copy(path, path.with_name("copy"))
        os.replace(path.with_name("copy"), path)
        monkeypatch.setattr(restoration, "SAME_TIME_SECONDS", -1.0)  # as if that had been a day later
        restoration.look()
        assert current(db.session()).reason == restoration.COPIED
        monkeypatch.undo()
        decide(app, Decision.SEND)
        restoration.look()
        assert current(db.session()) is None, "and once"


def test_a_provider_that_had_it_already_says_that_we_are_older(app, phone, octopush, run_jobs):
    [sent] = post(app, phone)
    with app.app_context():
        assert lease.take(phone.account_id)
        from raspisms.adapters.base import Accepted
        from raspisms.sending import claim

        claimed = claim.next_claim(phone.account_id)
        outcome.record(claimed.submission_id, Accepted(None, taken_before=True))
        assert current(db.session()).reason == restoration.PROVIDER_KNOWS
    assert message(app, sent).status is Status.SENT


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"1": "x"}'])
def test_a_count_that_cannot_be_read_stops_nothing(app, phone, octopush, run_jobs, content):
    (Path(app.config["INSTANCE"]) / restoration.FILE).write_bytes(content)
    [sent] = post(app, phone)
    run_jobs()
    assert message(app, sent).status is Status.SENT


def test_the_count_is_that_of_the_database(app, phone, octopush, run_jobs):
    for number in range(3):
        post(app, phone, text=f"{number}")
    octopush.faults.append("cut_before")
    run_jobs()
    factories.let_time_pass(app)
    ring(app)
    run_jobs()
    with app.app_context():
        known, counted = restoration._known(), db.session.get(Account, phone.account_id).departures
        assert known[str(phone.account_id)] == counted == len(octopush.requests)
        assert sum(db.session.scalars(select(Submission.attempts))) == counted
        assert dispatch.drain(phone.account_id) is False


def test_only_an_administrator_decides_and_everybody_is_told(app, client, octopush, run_jobs, restored):
    member = factories.signed_in(app, factories.user(app, "bob@example.org", Role.MEMBER))
    assert "Un administrateur doit décider" in member.get("/messages/").text
    assert member.get("/restoration/").status_code == 403
    page = client.get("/restoration/")
    assert "2 SMS qui attendaient sont retenus" in page.text.replace("\xa0", " ")
    form = {"csrf_token": factories.csrf(client, "/restoration/"), "decision": "send"}
    assert member.post("/restoration/", data=form).status_code in {400, 403}
    with app.app_context():
        form["restoration"] = db.session.scalar(select(Restoration.id))
    assert client.post("/restoration/", data=form | {"decision": "?"}).status_code == 400
    assert client.post("/restoration/", data=form).status_code == 302
    assert "retenu" not in client.get("/messages/").text


def test_a_series_goes_on_after_the_time_that_was_missed(app, at_once, restored):
    campaign = drafts.save(None, wish(LEA, starts_at=now() - timedelta(minutes=1), repeats="daily"), None)
    with transaction() as session:
        session.get_one(Campaign, campaign.id).state = CampaignState.SCHEDULED
        current(session).last_campaign_id = campaign.id
    restoration.decide(current(db.session()).id, Decision.KEEP_BACK, None)
    assert fresh(campaign.id).state is CampaignState.CANCELLED
    [following] = db.session.scalars(select(Campaign).where(Campaign.repeat_of_id == campaign.id))
    assert (following.state, following.starts_at > now()) == (CampaignState.SCHEDULED, True)


def test_nothing_leaves_between_the_provider_s_surprise_and_what_it_means(app, phone, octopush, run_jobs):
    """Two texts of an old copy: the provider had the first already."""
    post(app, phone, LEA, text="A")
    post(app, phone, LEA, text="B")
    with app.app_context():
        assert lease.take(phone.account_id)
        claimed = claim.next_claim(phone.account_id)
        lease.release(phone.account_id)
        open_adapter(claimed.adapter, claimed.sealed_settings).submit(claimed.batch)
        with transaction() as session:  # as the copy believes
            submission = session.get_one(Submission, claimed.submission_id)
            submission.in_flight, submission.attempts = False, 0
    asked = len(octopush.requests)
    ring(app)
    run_jobs()
    assert len(octopush.requests) == asked + 1
    assert held(app) == 1
