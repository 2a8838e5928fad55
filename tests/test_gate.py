"""The one gate: no door is wider than another. Each way in is tried with each rule, and without any."""

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from raspisms import gate
from raspisms.adapters.base import Reply
from raspisms.adapters.octopush.adapter import OctopushVirtualNumber
from raspisms.campaigns import drafts, launch, lifecycle
from raspisms.campaigns.fates import FATES
from raspisms.campaigns.targets import Targets
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.models import (
    Contact,
    Conversation,
    Direction,
    Hours,
    JournalEntry,
    Message,
    OptOut,
    Phone,
    Recipient,
    Status,
    StopMark,
)
from raspisms.people import contacts, opt_outs
from raspisms.receiving import incoming, replies
from raspisms.scheduler import sweep as scheduler
from raspisms.sending import acceptance, asking_again, claim, eligible, lease, outbox, recall, unknown_outcomes
from raspisms.sms.purposes import Purpose
from raspisms.storage.transactions import transaction
from raspisms.team import opening_hours, preferences
from tests.desk import sent, written
from tests.factories import BOB, LEA, csrf, let_time_pass, ring

AMERICAN = "+12125550123"

# -- the rules: each makes a number one that may not be written to --------------------------------------------


def only_belgium():
    preferences.save(preferences.Choices(countries=("BE",), undo_seconds=0, undo_single=0))


def said_stop():
    with transaction() as session:
        opt_outs.add(session, LEA, "person")


def said_stop_and_was_erased():
    with transaction() as session:
        opt_outs.add(session, LEA, "person")
        opt_outs.forget_number(session, LEA)


def may_have_said_stop():
    with transaction() as session:
        phone = session.scalar(select(Phone))
        incoming.store(session, phone, LEA, "Arrêtez svp", now() - timedelta(days=2)).stop = StopMark.SUSPECTED


def number_is_to_correct():
    with transaction() as session:
        session.add(Contact(name="Léa", number=LEA, sort_key="lea", search="lea", fault="Ce numéro n’existe pas."))


RULES = {
    gate.Reason.COUNTRY: only_belgium,
    gate.Reason.OPTED_OUT: said_stop,
    "erased": said_stop_and_was_erased,
    gate.Reason.SUSPECTED: may_have_said_stop,
    gate.Reason.TO_CORRECT: number_is_to_correct,
}

# -- the doors: each tries to send one SMS to Léa --------------------------------------------------------------


def composer(client):
    form = {"csrf_token": csrf(client, "/messages/new"), "key": uuid.uuid4().hex}
    client.post("/messages/new", data=form | {"phone": "1", "to": LEA, "text": "Bonjour"})


def conversation(client):
    with transaction() as session:
        incoming.store(session, session.scalar(select(Phone)), LEA, "Bonjour", now())
    found = db.session.scalar(select(Conversation.id))
    db.session.rollback()
    page = f"/conversations/{found}"
    form = {"csrf_token": csrf(client, page), "key": uuid.uuid4().hex, "seen": str(10**9)}
    client.post(f"{page}/reply", data=form | {"text": "Bonjour"})


def command(_client):
    outbox.post(db.session.scalar(select(Phone)), [LEA], "Bonjour")


def command_with_a_file(_client):
    with suppress(acceptance.NoRecipient):
        acceptance.post_campaign(db.session.scalar(select(Phone)), [(1, LEA)], "Bonjour")


def campaign(_client, between=lambda: None):
    saved = drafts.save(None, drafts.Wish(1, "Bonjour", Targets(numbers=[{"number": LEA}])), None)
    launch.work(saved.id)
    between()
    with suppress(lifecycle.Refused):
        launch.send(saved.id, saved.revision, None, may_override=False)
    launch.work(saved.id)
    scheduler.sweep()


def answer_while_away(_client):
    choices = preferences.current()
    preferences.save(preferences.Choices(countries=choices.countries, open_days=(0,), away_text="À lundi."))
    with transaction() as session:
        phone = session.scalar(select(Phone))
        entry = JournalEntry(phone=phone, phone_id=phone.id, kind="reception", body=b"", received_at=now())
        session.add(entry)
        session.flush()
        replies.apply(session, entry, Reply(LEA, "Bonjour", "", "", now()))


DOORS = (composer, conversation, command, command_with_a_file, campaign, answer_while_away)


@pytest.fixture
def inside(app, client, phone, monkeypatch):
    """The application's context, where the team is away and nothing waits for an undo."""
    monkeypatch.setattr(opening_hours, "closed_since", lambda *_: now() - timedelta(hours=1))
    with app.app_context():
        preferences.save(preferences.Choices(undo_seconds=0, undo_single=0))
        yield client
        db.session.rollback()


def requests_made(app, octopush, run_jobs):
    db.session.rollback()
    ring(app)
    run_jobs("sending")
    return [one["body"]["recipients"] for one in octopush.requests]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_is_open_to_what_no_rule_forbids(app, inside, octopush, run_jobs, door):
    door(inside)
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": LEA}]]


# Somebody who writes to us has a number that works: those two doors answer them. And who may have said STOP may be
# asked by hand whether they did.
PROVEN = {
    (conversation, gate.Reason.TO_CORRECT),
    (answer_while_away, gate.Reason.TO_CORRECT),
    (conversation, gate.Reason.SUSPECTED),
}
WALKED = [(door, rule) for door in DOORS for rule in RULES if (door, rule) not in PROVEN]


@pytest.mark.parametrize(("door", "rule"), WALKED, ids=[f"{door.__name__}-{rule}" for door, rule in WALKED])
def test_no_door_is_wider_than_another(app, inside, octopush, run_jobs, door, rule):
    RULES[rule]()
    door(inside)
    assert requests_made(app, octopush, run_jobs) == []
    waiting = Message.status.in_((Status.QUEUED, Status.HELD, Status.SENDING))
    assert db.session.scalars(select(Message.id).where(Message.direction == Direction.OUT, waiting)).all() == []


LANDLINE = "+33199001001"


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_no_door_writes_to_a_landline_unless_the_team_says_so(app, inside, octopush, run_jobs, door, monkeypatch):
    monkeypatch.setitem(globals(), "LEA", LANDLINE)
    door(inside)
    # Who wrote to us from there is answered: their SMS proves that one can go there.
    proven = [[{"phone_number": LANDLINE}]] if door in {conversation, answer_while_away} else []
    assert requests_made(app, octopush, run_jobs) == proven


@pytest.mark.parametrize("door", [command, command_with_a_file, campaign], ids=lambda door: door.__name__)
def test_a_landline_that_is_not_allowed_any_more_gets_nothing(app, inside, octopush, run_jobs, door, monkeypatch):
    monkeypatch.setitem(globals(), "LEA", LANDLINE)
    allowed = preferences.Choices(undo_seconds=0, undo_single=0, landlines=True)
    preferences.save(allowed)
    door(inside)
    db.session.rollback()
    preferences.save(replace(allowed, landlines=False))
    assert requests_made(app, octopush, run_jobs) == []
    db.session.expire_all()
    [sms] = db.session.scalars(select(Message).where(Message.direction == Direction.OUT))
    assert sms.status is Status.CANCELLED
    assert "fixe" in sms.events[-1].reason


@pytest.mark.parametrize("reason", gate.Reason)
def test_every_reason_has_its_sentence_and_what_a_review_calls_it(reason):
    assert gate.SAID[reason][1]
    of_the_whole = {gate.Reason.NO_MENTION, gate.Reason.TOO_LATE, gate.Reason.CLOSED, gate.Reason.PHONE_DELETED}
    assert reason in FATES or reason in of_the_whole
    assert reason in eligible.LEFT_OUT or reason in of_the_whole | {gate.Reason.EMPTY, gate.Reason.TOO_LONG}


@pytest.mark.parametrize("door", [composer, command, command_with_a_file, campaign], ids=lambda door: door.__name__)
def test_landlines_get_sms_where_the_team_says_so(app, inside, octopush, run_jobs, door, monkeypatch):
    monkeypatch.setitem(globals(), "LEA", LANDLINE)
    preferences.save(preferences.Choices(undo_seconds=0, undo_single=0, landlines=True))
    door(inside)
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": LANDLINE}]]


def test_who_may_have_said_stop_is_answered_by_hand_and_by_nothing_else(app, inside, octopush, run_jobs):
    may_have_said_stop()
    conversation(inside)
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": LEA}]]
    answer_while_away(inside)
    composer(inside)
    assert len(requests_made(app, octopush, run_jobs)) == 1


def test_an_answer_by_hand_that_is_in_doubt_is_asked_about_and_may_be_sent_again(app, inside, octopush, run_jobs):
    may_have_said_stop()
    octopush.faults.append("cut_before")
    conversation(inside)
    requests_made(app, octopush, run_jobs)
    let_time_pass(app)
    assert len(requests_made(app, octopush, run_jobs)) == 2
    with transaction() as session:
        sms = session.scalars(select(Message).where(Message.direction == Direction.OUT)).one()
        sms.status, sms.submission_id, sms.sent_at = Status.UNKNOWN, None, None
    unknown_outcomes.send_again(sms.id, 1)
    db.session.rollback()
    assert db.session.scalar(select(Message.status).where(Message.id == sms.id)) is Status.QUEUED


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("door", [command, command_with_a_file, campaign], ids=lambda door: door.__name__)
def test_what_a_rule_forbids_by_now_does_not_leave(app, inside, octopush, run_jobs, door, rule):
    door(inside)
    db.session.rollback()
    RULES[rule]()
    assert requests_made(app, octopush, run_jobs) == []
    db.session.expire_all()
    [sms] = db.session.scalars(select(Message).where(Message.direction == Direction.OUT))
    assert sms.status is Status.CANCELLED
    assert sms.events[-1].reason


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_forbids_since_the_review_makes_no_message(app, inside, octopush, run_jobs, rule):
    campaign(inside, between=RULES[rule])
    assert requests_made(app, octopush, run_jobs) == []
    assert db.session.scalar(select(Message.id).where(Message.direction == Direction.OUT)) is None
    assert db.session.scalar(select(Recipient.fate)) != "kept"


# -- what was agreed when a campaign was scheduled, and is not any more ------------------------------------------


def scheduled_for(contact, **more):
    saved = drafts.save(None, drafts.Wish(1, "Soldes STOP au 36180", Targets(contacts=[contact.id]), **more), None)
    launch.work(saved.id)
    launch.send(saved.id, drafts.get(saved.id).revision, None, may_override=True)
    launch.work(saved.id)
    scheduler.sweep()


def consent_withdrawn(contact_id):
    with transaction() as session:
        session.get_one(Contact, contact_id).consent = ""


def contact_deleted(contact_id):
    with transaction() as session:
        session.delete(session.get_one(Contact, contact_id))


def number_corrected(contact_id):
    with transaction() as session:
        session.get_one(Contact, contact_id).number = "+33639987009"


@pytest.fixture
def lea(inside):
    """A contact who agreed to advertising."""
    with transaction() as session:
        found = Contact(name="Léa", number=LEA, sort_key="lea", search="lea", consent="Formulaire du 3 mars")
        session.add(found)
    return found


CHANGES = [
    (Purpose.ADVERTISING, consent_withdrawn),
    (Purpose.INFORMATION, contact_deleted),
    (Purpose.INFORMATION, number_corrected),
]


@pytest.mark.parametrize(("purpose", "change"), CHANGES, ids=[change.__name__ for _, change in CHANGES])
def test_what_changed_after_scheduling_counts_at_the_claim(app, inside, octopush, run_jobs, lea, purpose, change):
    scheduled_for(lea, purpose=purpose, hours=Hours.FREE)
    assert db.session.scalar(select(Message.status)) is Status.QUEUED
    db.session.rollback()
    change(lea.id)
    assert requests_made(app, octopush, run_jobs) == []
    db.session.expire_all()
    assert db.session.scalar(select(Message.status)) is Status.CANCELLED


@pytest.mark.parametrize(("purpose", "change"), CHANGES, ids=[change.__name__ for _, change in CHANGES])
def test_what_changed_since_the_review_makes_no_message(app, inside, lea, purpose, change):
    wish = drafts.Wish(1, "Soldes STOP au 36180", Targets(contacts=[lea.id]), purpose=purpose, hours=Hours.FREE)
    saved = drafts.save(None, wish, None)
    launch.work(saved.id)
    change(lea.id)
    launch.send(saved.id, drafts.get(saved.id).revision, None, may_override=True)
    launch.work(saved.id)
    assert db.session.scalar(select(Message.id)) is None


@pytest.mark.parametrize(("purpose", "change"), CHANGES, ids=[change.__name__ for _, change in CHANGES])
@pytest.mark.parametrize("again", ["what failed", "what is in doubt"])
def test_what_changed_since_it_left_keeps_it_from_leaving_again(app, inside, lea, purpose, change, again):
    scheduled_for(lea, purpose=purpose, hours=Hours.FREE)
    status = Status.FAILED if again == "what failed" else Status.UNKNOWN
    with transaction() as session:
        sms = session.scalars(select(Message)).one()
        sms.status, sms.submission_id = status, None
    scheduler.sweep()
    change(lea.id)
    by_campaign = again == "what failed"
    with pytest.raises((lifecycle.Refused, unknown_outcomes.Refused)):
        lifecycle.retry_failed(sms.campaign_id) if by_campaign else unknown_outcomes.send_again(sms.id, 1)
    db.session.expire_all()
    assert db.session.scalar(select(Message.status)) is status


@pytest.mark.parametrize(("purpose", "change"), CHANGES, ids=[change.__name__ for _, change in CHANGES])
def test_what_changed_while_it_is_in_doubt_is_not_asked_about(app, inside, octopush, run_jobs, lea, purpose, change):
    octopush.faults.append("cut_before")
    scheduled_for(lea, purpose=purpose, hours=Hours.FREE)
    assert len(requests_made(app, octopush, run_jobs)) == 1
    change(lea.id)
    let_time_pass(app)
    assert len(requests_made(app, octopush, run_jobs)) == 1
    db.session.expire_all()
    sms = db.session.scalars(select(Message)).one()
    assert (sms.status, sms.events[-1].reason) == (Status.UNKNOWN, asking_again.REFUSED)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("door", [command, campaign], ids=lambda door: door.__name__)
def test_what_a_rule_forbids_while_it_is_in_doubt_is_not_asked_about(app, inside, octopush, run_jobs, door, rule):
    octopush.faults.append("cut_before")
    door(inside)
    assert len(requests_made(app, octopush, run_jobs)) == 1
    RULES[rule]()
    let_time_pass(app)
    assert len(requests_made(app, octopush, run_jobs)) == 1
    db.session.expire_all()
    mine = select(Message.status).where(Message.direction == Direction.OUT)
    assert db.session.scalars(mine).all() == [Status.UNKNOWN]


def test_of_many_in_doubt_the_others_are_asked_about(app, inside, octopush, run_jobs, lea):
    octopush.faults.append("cut_before")
    both = drafts.Wish(1, "Bonjour", Targets(contacts=[lea.id], numbers=[{"number": BOB}]), hours=Hours.FREE)
    saved = drafts.save(None, both, None)
    launch.work(saved.id)
    launch.send(saved.id, drafts.get(saved.id).revision, None, may_override=True)
    launch.work(saved.id)
    scheduler.sweep()
    requests_made(app, octopush, run_jobs)
    contact_deleted(lea.id)
    let_time_pass(app)
    assert requests_made(app, octopush, run_jobs)[1:] == [[{"phone_number": BOB}]]
    db.session.expire_all()
    ended = {sms.number: (sms.status, sms.events[-1].reason) for sms in db.session.scalars(select(Message))}
    assert ended[LEA] == (Status.CANCELLED, asking_again.NOT_SENT), "it was taken now: nothing had left before"
    assert ended[BOB][0] is Status.SENT


def test_where_nobody_is_left_each_has_their_own_reason(app, inside, octopush, run_jobs, lea):
    octopush.faults.append("cut_before")
    saved = written(BOB, targets=Targets(contacts=[lea.id], numbers=[{"number": BOB}]))
    sent(saved, may_override=True)
    requests_made(app, octopush, run_jobs)
    contact_deleted(lea.id)
    with transaction() as session:
        opt_outs.add(session, BOB, "reply")
    let_time_pass(app)
    assert len(requests_made(app, octopush, run_jobs)) == 1
    db.session.expire_all()
    reasons = {sms.number: (sms.status, sms.events[-1].reason) for sms in db.session.scalars(select(Message))}
    assert reasons == {LEA: (Status.UNKNOWN, asking_again.REFUSED), BOB: (Status.UNKNOWN, asking_again.STOPPED)}


def test_what_did_not_change_leaves(app, inside, octopush, run_jobs, lea):
    scheduled_for(lea, purpose=Purpose.ADVERTISING, hours=Hours.FREE)
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": LEA}]]


@pytest.mark.parametrize("how", ["contact", "number"])
def test_consent_stated_with_a_list_is_not_that_of_a_contact(app, inside, octopush, run_jobs, lea, how):
    """Who was kept as a contact is asked as a contact, whatever was stated for the numbers beside."""
    typed = [{"number": LEA}] if how == "number" else [{"number": BOB}]
    chosen = [] if how == "number" else [lea.id]
    both = Targets(numbers=typed, contacts=chosen, consent="Inscription du 3 mars")
    wish = drafts.Wish(1, "Soldes STOP au 36180", both, purpose=Purpose.ADVERTISING, hours=Hours.FREE)
    saved = drafts.save(None, wish, None)
    launch.work(saved.id)
    launch.send(saved.id, drafts.get(saved.id).revision, None, may_override=True)
    launch.work(saved.id)
    scheduler.sweep()
    consent_withdrawn(lea.id)
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": BOB if how == "contact" else LEA}]]


# -- the SMS as a whole ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sms", "reason"),
    [
        ({"text": " \n"}, gate.Reason.EMPTY),
        ({"text": "é" * 5_000}, gate.Reason.TOO_LONG),
        ({"text": "Soldes", "purpose": Purpose.ADVERTISING}, gate.Reason.NO_MENTION),
        ({"text": "Bonjour", "expires_at": -1}, gate.Reason.TOO_LATE),
        ({"text": "Bonjour", "hours": Hours.STRICT}, gate.Reason.CLOSED),
        ({"text": "Soldes STOP au 36180", "purpose": Purpose.ADVERTISING}, gate.Reason.CLOSED),
    ],
)
def test_what_is_wrong_with_the_sms_itself(app, phone, monkeypatch, sms, reason):
    monkeypatch.setattr(gate.hours, "opening", lambda profile, *_: None if profile is Hours.FREE else now())
    if "expires_at" in sms:
        sms = sms | {"expires_at": now() + timedelta(seconds=sms["expires_at"])}
    with app.app_context():
        refusal = gate.may_leave(db.session.get(Phone, phone.id), **sms)
    assert refusal.reason is reason
    assert refusal.sentence


@pytest.mark.parametrize("door", [composer, command, command_with_a_file, campaign], ids=lambda door: door.__name__)
def test_a_deleted_phone_sends_nothing_by_any_door(app, inside, octopush, run_jobs, door):
    with transaction() as session:
        session.get_one(Phone, 1).deleted_at = now()
    with suppress(Exception):  # each door refuses in its own words
        door(inside)
    assert requests_made(app, octopush, run_jobs) == []
    db.session.rollback()
    assert db.session.scalar(select(Message.id).where(Message.direction == Direction.OUT)) is None


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (AMERICAN, gate.Reason.COUNTRY),
        ("+33899123456", gate.Reason.SPECIAL),
        ("3631", gate.Reason.NUMBER),
        ("+3363998700", gate.Reason.NUMBER),
        ("BANQUE", gate.Reason.NUMBER),
        (LEA, None),
    ],
)
def test_what_is_wrong_with_a_number(app, number, reason):
    with app.app_context():
        refused = gate.may_get(db.session(), [number])
    assert [one.reason for one in refused.values()] == ([reason] if reason else [])


def test_every_reason_has_its_field_and_its_sentence():
    assert set(gate.SAID) == set(gate.Reason)


def test_chosen_hours_make_a_single_sms_wait_for_them(app, inside, octopush, run_jobs):
    form = {"csrf_token": csrf(inside, "/messages/new"), "key": uuid.uuid4().hex, "purpose": "information"}
    answer = inside.post("/messages/new", data=form | {"phone": "1", "to": LEA, "text": "x", "hours": "strict"})
    assert answer.location.startswith("/campaigns/")
    assert requests_made(app, octopush, run_jobs) == []


def test_a_refused_number_loses_nothing_that_was_typed(inside):
    form = {"csrf_token": csrf(inside, "/messages/new"), "key": uuid.uuid4().hex}
    answer = inside.post("/messages/new", data=form | {"phone": "1", "to": AMERICAN, "text": "Hello"})
    assert answer.status_code == 400
    assert "ne sont pas permis" in answer.text
    assert AMERICAN in answer.text
    assert "Hello" in answer.text


# -- what is refused loses nothing, and what is said later counts -------------------------------------------------


def hears(text="Bonjour", minutes=0):
    with transaction() as session:
        phone = session.scalar(select(Phone))
        entry = JournalEntry(phone=phone, phone_id=phone.id, kind="reception", body=b"", received_at=now())
        session.add(entry)
        session.flush()
        replies.apply(session, entry, Reply(LEA, text, "", "", now() - timedelta(minutes=minutes)))


def test_a_refused_answer_is_still_being_written(inside):
    hears("Où est-ce ?")
    found = db.session.scalar(select(Conversation.id))
    only_belgium()
    db.session.rollback()
    page = f"/conversations/{found}"
    form = {"csrf_token": csrf(inside, page), "key": uuid.uuid4().hex, "seen": str(10**9), "text": "Oui, au numéro 3."}
    inside.post(f"{page}/draft", data=form)
    assert inside.post(f"{page}/reply", data=form).status_code == 400
    assert "Oui, au numéro 3." in inside.get(page).text
    inside.post(f"{page}/draft", data=form | {"text": "Oui, au numéro 3, à droite."})
    assert "à droite" in inside.get(page).text, "it goes on being kept"


def test_who_writes_from_a_number_is_reached_there(inside):
    number_is_to_correct()
    hears()
    assert gate.may_get(db.session(), [LEA]) == {}


def test_a_stop_from_a_number_to_correct_is_answered(app, inside, octopush, run_jobs):
    preferences.save(preferences.Choices(stop_answer="Bien reçu."))
    hears("STOP")
    db.session.rollback()
    number_is_to_correct()
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": LEA}]]


def test_start_settles_an_older_doubt(inside):
    hears("stop svp", minutes=5)
    assert gate.may_get(db.session(), [LEA])[LEA].reason is gate.Reason.SUSPECTED
    hears("START")
    assert gate.may_get(db.session(), [LEA]) == {}


def failed(app, octopush, run_jobs):
    """A campaign to Léa and to somebody else, both of which failed."""
    saved = drafts.save(None, drafts.Wish(1, "Bonjour", Targets(numbers=[{"number": one} for one in (LEA, BOB)])), None)
    launch.work(saved.id)
    launch.send(saved.id, saved.revision, None, may_override=False)
    launch.work(saved.id)
    scheduler.sweep()
    with transaction() as session:
        session.execute(update(Message).values(status=Status.FAILED))
    scheduler.sweep()
    return saved.id


def test_sending_again_passes_the_gate(app, inside, octopush, run_jobs):
    campaign_id = failed(app, octopush, run_jobs)
    number_is_to_correct()
    lifecycle.retry_failed(campaign_id)
    statuses = dict(db.session.execute(select(Message.number, Message.status)).all())
    assert statuses == {LEA: Status.FAILED, BOB: Status.QUEUED}


def test_sending_again_what_may_not_be_is_refused_and_changes_nothing(app, inside, octopush, run_jobs):
    campaign_id = failed(app, octopush, run_jobs)
    only_belgium()
    with pytest.raises(lifecycle.Refused, match="Aucun de ces SMS"):
        lifecycle.retry_failed(campaign_id)
    assert set(db.session.scalars(select(Message.status))) == {Status.FAILED}


def test_consent_of_a_typed_number_is_the_contacts_own(app, inside, octopush, run_jobs):
    with transaction() as session:
        lea = Contact(name="Léa", number=LEA, sort_key="lea", search="lea", consent="Formulaire du 3 mars")
        session.add(lea)
    typed = Targets(numbers=[{"number": LEA}])
    wish = drafts.Wish(1, "Soldes STOP au 36180", typed, purpose=Purpose.ADVERTISING, hours=Hours.FREE)
    saved = drafts.save(None, wish, None)
    launch.work(saved.id)
    launch.send(saved.id, drafts.get(saved.id).revision, None, may_override=True)
    launch.work(saved.id)
    scheduler.sweep()
    consent_withdrawn(lea.id)
    assert requests_made(app, octopush, run_jobs) == []


def test_who_waits_for_an_answer_that_did_not_leave_waits_again(app, inside, octopush, run_jobs):
    conversation(inside)
    assert db.session.scalar(select(Conversation.waiting_since)) is None
    db.session.rollback()
    said_stop()
    assert requests_made(app, octopush, run_jobs) == []
    db.session.expire_all()
    assert db.session.scalar(select(Conversation.waiting_since)) is not None


def test_a_campaign_that_may_go_to_nobody_is_looked_at_in_short_transactions(app, inside, monkeypatch, phone):
    monkeypatch.setattr(OctopushVirtualNumber, "max_recipients", 2)
    lines = [(n, f"+3363998{n:04}") for n in range(1, 9)]
    acceptance.post_campaign(db.session.get(Phone, phone.id), lines, "Bonjour")
    only_belgium()
    steps = []
    real = claim._next_claim
    monkeypatch.setattr(claim, "_next_claim", lambda *a, **k: steps.append(real(*a, **k)) or steps[-1])
    assert lease.take(phone.account_id)
    assert claim.next_claim(phone.account_id) is None
    assert steps == [claim.NOBODY] * 4 + [None]
    assert set(db.session.scalars(select(Message.status))) == {Status.CANCELLED}


def test_advertising_by_hand_waits_for_its_hours_when_it_leaves(app, inside, octopush, run_jobs, monkeypatch):
    with transaction() as session:
        session.add(Contact(name="Léa", number=LEA, sort_key="lea", search="lea", consent="Formulaire"))
    monkeypatch.setattr(gate.hours, "opening", lambda *_: None)
    outbox.post(db.session.scalar(select(Phone)), [LEA], "Soldes STOP au 36180", purpose=Purpose.ADVERTISING)
    monkeypatch.setattr(gate.hours, "opening", lambda profile, moment, *_: None if profile is Hours.FREE else moment)
    assert requests_made(app, octopush, run_jobs) == []
    outbox.post(db.session.scalar(select(Phone)), [BOB], "Bonjour")
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": BOB}]], "nothing waits behind it"


# -- what comes late, and what is repeated ------------------------------------------------------------------------


def test_a_start_that_comes_late_settles_nothing_that_was_said_since(inside):
    hears("stop svp")
    hears("START", minutes=60)
    assert gate.may_get(db.session(), [LEA])[LEA].reason is gate.Reason.SUSPECTED
    hears("STOP")
    hears("start", minutes=30)
    assert gate.may_get(db.session(), [LEA])[LEA].reason is gate.Reason.OPTED_OUT
    hears("Start", minutes=-10)
    assert gate.may_get(db.session(), [LEA]) == {}


def test_a_start_between_two_stops_takes_back_neither(inside):
    hears("STOP", minutes=180)
    hears("Stop", minutes=60)
    hears("START", minutes=120)
    assert gate.may_get(db.session(), [LEA])[LEA].reason is gate.Reason.OPTED_OUT
    hears("Start", minutes=30)
    assert gate.may_get(db.session(), [LEA]) == {}


def test_who_is_taken_off_the_list_is_still_asked_about_what_came_since(inside):
    said_stop()
    listed = db.session.scalar(select(OptOut.id))
    db.session.rollback()
    hears("arrêtez stop svp merci")
    opt_outs.remove(listed, None)
    assert gate.may_get(db.session(), [LEA])[LEA].reason is gate.Reason.SUSPECTED


def test_who_is_taken_off_the_list_is_not_asked_about_what_came_before(inside):
    hears("arrêtez stop svp merci", minutes=5)
    said_stop()
    listed = db.session.scalar(select(OptOut.id))
    db.session.rollback()
    opt_outs.remove(listed, None)
    assert gate.may_get(db.session(), [LEA]) == {}


def test_consent_is_that_of_the_line_it_was_stated_with(app, inside):
    """A contact without it is not kept because somebody else's list says so: who is kept gets the SMS."""
    with transaction() as session:
        lea = Contact(name="Léa", number=LEA, sort_key="lea", search="lea")
        session.add(lea)
    both = Targets(numbers=[{"number": LEA}], contacts=[lea.id], consent="Inscription du 3 mars")
    wish = drafts.Wish(1, "Soldes STOP au 36180", both, purpose=Purpose.ADVERTISING, hours=Hours.FREE)
    saved = drafts.save(None, wish, None)
    launch.work(saved.id)
    kept = db.session.scalars(select(Recipient).where(Recipient.fate == "kept")).all()
    assert [one.contact_id for one in kept] == [None]
    launch.send(saved.id, drafts.get(saved.id).revision, None, may_override=True)
    launch.work(saved.id)
    assert db.session.scalars(select(Message.number)).all() == [LEA]


@pytest.mark.parametrize("how", ["left out", "cancelled by a person"])
def test_the_same_page_sends_again_what_did_not_leave(app, inside, octopush, run_jobs, how):
    form = {"csrf_token": csrf(inside, "/messages/new"), "key": uuid.uuid4().hex}
    form |= {"phone": "1", "to": LEA, "text": "Bonjour"}
    inside.post("/messages/new", data=form)
    if how == "left out":
        number_is_to_correct()
        assert requests_made(app, octopush, run_jobs) == []
        contacts.confirm_number(db.session.scalar(select(Contact.id)))
    else:
        recall.cancel_waiting(db.session.scalars(select(Message.id)).all(), None)
    inside.post("/messages/new", data=form)
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": LEA}]]


def doubt():
    """Nobody knows whether the only SMS left."""
    with transaction() as session:
        sms = session.scalars(select(Message).where(Message.direction == Direction.OUT)).one()
        sms.status, sms.submission_id, sms.sent_at = Status.UNKNOWN, None, None
        return sms.id


@pytest.mark.parametrize("rule", [one for one in RULES if one != gate.Reason.COUNTRY])
def test_what_is_in_doubt_is_not_sent_again_to_who_may_not_be_written_to(app, inside, rule):
    command(inside)
    sms = doubt()
    RULES[rule]()
    with pytest.raises(unknown_outcomes.Refused) as refused:
        unknown_outcomes.send_again(sms, 1)
    assert refused.value.values["number"]
    db.session.expire_all()
    assert db.session.get(Message, sms).status is Status.UNKNOWN


def test_an_answer_to_a_stop_that_is_in_doubt_may_be_sent_again(app, inside, octopush, run_jobs):
    preferences.save(preferences.Choices(stop_answer="Bien reçu."))
    hears("STOP")
    unknown_outcomes.send_again(doubt(), 1)
    assert requests_made(app, octopush, run_jobs) == [[{"phone_number": LEA}]]


def test_a_campaign_of_which_nothing_is_known_any_more_is_not_sent_again(app, inside, octopush, run_jobs):
    campaign_id = failed(app, octopush, run_jobs)
    with transaction() as session:
        session.execute(delete(Recipient))  # as retention does
    with pytest.raises(lifecycle.Refused, match="Aucun de ces SMS"):
        lifecycle.retry_failed(campaign_id)


def test_of_many_failures_each_is_looked_at(app, inside, octopush, run_jobs, monkeypatch):
    monkeypatch.setattr(lifecycle, "LOOKED_AT", 1)
    campaign_id = failed(app, octopush, run_jobs)
    number_is_to_correct()
    lifecycle.retry_failed(campaign_id)
    assert db.session.scalars(select(Message.number).where(Message.status == Status.QUEUED)).all() == [BOB]


def test_nobody_waits_for_a_campaign_that_may_go_to_nobody(app, inside, monkeypatch, phone):
    """The answer that has just come is written down after one step, and a job that must end ends."""
    monkeypatch.setattr(OctopushVirtualNumber, "max_recipients", 2)
    acceptance.post_campaign(db.session.get(Phone, phone.id), [(n, f"+3363998{n:04}") for n in range(1, 9)], "Bonjour")
    only_belgium()
    assert lease.take(phone.account_id)
    assert claim.next_claim(phone.account_id, may_go_on=lambda: False) is None
    assert db.session.query(Message).filter_by(status=Status.CANCELLED).count() == 2


def test_a_slow_pace_looks_at_as_many_as_a_quick_one(app, inside, phone):
    lines = [(n, f"+3363998{n:04}") for n in range(1, 9)]
    with transaction() as session:
        session.get_one(Phone, phone.id).pace = 12
    acceptance.post_campaign(db.session.get(Phone, phone.id), lines, "Bonjour")
    only_belgium()
    assert lease.take(phone.account_id)
    claim.next_claim(phone.account_id, may_go_on=lambda: False)
    assert db.session.query(Message).filter_by(status=Status.CANCELLED).count() == 8


def test_automatic_answers_leave_as_telephones_have_them(app, inside, octopush, run_jobs):
    preferences.save(preferences.Choices(open_days=(0,), away_text="À lundi.\r\nLa mairie"))
    hears()
    db.session.rollback()
    requests_made(app, octopush, run_jobs)
    assert [one["body"]["text"] for one in octopush.requests] == ["À lundi.\nLa mairie"]
