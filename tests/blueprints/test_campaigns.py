"""The composer as a campaign's, the report, the page of its progress."""

import io
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import and_, select

from raspisms.campaigns import drafts, launch, lifecycle, progress, review
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.messages import history
from raspisms.models import Answer, Campaign, CampaignState, Message, Phone, Status
from raspisms.people import contacts, groups
from raspisms.phones import deleting, saving
from raspisms.receiving import incoming
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from tests.factories import BOB, LEA, all_messages, compose, csrf, read_page


def campaign(app, campaign_id=1):
    with app.app_context():
        return db.session.get(Campaign, campaign_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Bonjour {{ contact.nom }}"},
        {"starts_at": "2028-01-01T10:00"},
        {"canary": "5"},
        {"repeats": "weekly"},
        {"purpose": "advertising", "text": "Soldes STOP au 36180"},
        {"to": "numero;prenom\n0639987001;Léa"},
        {"as_campaign": "y"},
    ],
)
def test_what_is_more_than_a_note_has_a_report_first(app, client, phone, changes):
    response = compose(client, **({"purpose": "information"} | changes))
    assert response.location == "/campaigns/1"
    assert all_messages(app) == []
    assert campaign(app).state is CampaignState.DRAFT


def test_a_campaign_must_say_what_it_is(app, client, phone):
    page = read_page(compose(client, text="Bonjour {{ contact.nom }}"), 400)
    assert "la loi les distingue" in page.find(id="purpose-error").text
    assert campaign(app) is None


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"text": "a\n{{ nom }}"}, "text", "Ligne 2"),
        ({"starts_at": "9999-12-31T10:00"}, "starts_at", "Écrivez une date"),
        ({"starts_at": "demain"}, "starts_at", "Écrivez une date"),
        ({"canary": "²"}, "canary", "de 1 à 1000"),
        ({"canary": "0"}, "canary", "de 1 à 1000"),
    ],
)
def test_each_mistake_is_named_and_nothing_typed_is_lost(app, client, phone, changes, field, words):
    page = read_page(compose(client, **({"purpose": "information"} | changes)), 400)
    assert words in page.find(id=f"{field}-error").text.replace("\xa0", " ")
    assert changes[field] in str(page.find(id=field))


def test_from_contacts_groups_and_a_file_to_messages(app, client, phone, run_jobs, octopush, get):
    with app.app_context():
        lea = contacts.save(None, None, "Léa", LEA, {"ville": "Lyon"}).id
        contacts.save(None, None, "Bob", BOB, {"ville": "Nice"})
        group = groups.save(None, "Nice", rule="contact.ville == 'Nice'").id
    file = (io.BytesIO(b"portable;ville\n0639987003;Brest\n12;x\n"), "liste.csv")
    text = "Bonjour {{ contact.ville }}"
    response = compose(
        client, to="", text=text, contacts=[str(lea)], groups=[str(group)], file=file, purpose="information"
    )
    assert "RaspiSMS regarde" in get(response.location).text
    run_jobs()
    page = get("/campaigns/1")
    assert "Numéro invalide (1)" in page.text
    send = page.find("form", action="/campaigns/1/send")
    assert "Envoyer à 3 personnes" in send.text
    fields = {field["name"]: field["value"] for field in send.find_all("input")}
    client.post("/campaigns/1/send", data=fields)
    client.post("/campaigns/1/send", data=fields)  # a double click
    run_jobs()
    assert {(m.number, m.text) for m in all_messages(app)} == {
        (LEA, "Bonjour Lyon"),
        (BOB, "Bonjour Nice"),
        ("+33639987003", "Bonjour Brest"),
    }
    assert "12;" in client.get("/campaigns/1/report.csv").text
    assert LEA in client.get("/campaigns/1/messages.csv").text
    page = get("/campaigns/1")
    assert "Annuler l’envoi" in page.text
    client.post("/campaigns/1/cancel", data={"csrf_token": csrf(client, "/campaigns/1")})
    assert "Annulée" in get("/campaigns/1").text


def test_a_draft_is_changed_thrown_away_or_copied(app, client, phone, run_jobs, get):
    compose(client, purpose="information", as_campaign="y", tag="rentrée")
    page = get("/campaigns/1/edit")
    assert page.find(id="tag")["value"] == "rentrée"
    assert page.find(id="text").text.strip() == "Bonjour"
    assert "06 39 98 70 01" in page.find(id="to").text.replace("\xa0", " ")
    compose(client, path="/campaigns/1/edit", purpose="information", text="Bonsoir")
    assert campaign(app).text == "Bonsoir"
    token = csrf(client, "/campaigns/1/edit")
    assert client.post("/campaigns/1/duplicate", data={"csrf_token": token}).location == "/campaigns/2/edit"
    client.post("/campaigns/1/remove", data={"csrf_token": token})
    assert campaign(app, 1) is None
    assert get("/campaigns/").find("tbody").text.count("Bonsoir") == 1


def test_a_preview_shows_one_person_after_the_other(app, client, phone):
    with app.app_context():
        group = groups.save(None, "Tous", rule="1 == 1").id
        contacts.save(None, None, "Léa", LEA, {"ville": "Lyon"})
        contacts.save(None, None, "Bob", BOB, {})
    token = csrf(client, "/messages/new")
    fields = {"phone": "1", "groups": str(group), "text": "À {{ contact.ville }}", "csrf_token": token}
    first = client.post("/campaigns/preview", data=fields).json
    second = client.post("/campaigns/preview", data=fields | {"position": "1"}).json
    assert (first["name"], first["text"], first["missing"]) == ("Léa", "À Lyon", [])
    assert (second["name"], second["text"], second["missing"]) == ("Bob", "À", ["ville"])
    assert "Ligne 1" in client.post("/campaigns/preview", data=fields | {"text": "{{"}).json["error"]


def test_a_short_note_still_leaves_at_once(app, client, phone):
    assert compose(client, tag="rappel").location == "/conversations/1"
    with app.app_context():
        assert db.session.scalar(select(Message)).tag == "rappel"
        assert db.session.scalar(select(Campaign)) is None


def test_any_phone_is_the_one_with_the_least_to_send(app, client, phone):
    with app.app_context():
        from tests import factories

        other = factories.phone(name="Autre", number="+33755552222")
        assert drafts.freest_phone(db.session()) == phone.id
        factories.post(app, phone, LEA)
        db.session.rollback()
        assert drafts.freest_phone(db.session()) == other.id


def test_a_draft_for_thousands_of_contacts_keeps_them_all(app, client, phone):
    with app.app_context():
        ids = [contacts.save(None, None, f"P{n}", f"+33639{n:06}", {}).id for n in range(30)]
        draft = drafts.write_to_contacts(ids, None)
    page = client.get(f"/campaigns/{draft.id}/edit")
    assert page.text.count('name="contacts"') == 20
    assert "et 10 autres" in page.text.replace("\xa0", " ")
    kept = {"contacts": [str(one) for one in ids[1:20]], "rest": ",".join(map(str, ids[20:]))}
    compose(client, path=f"/campaigns/{draft.id}/edit", to="", purpose="information", **kept)
    with app.app_context():
        assert drafts.get(draft.id).targets["contacts"] == ids[1:]
    compose(client, path=f"/campaigns/{draft.id}/edit", to="", purpose="information", contacts=[str(ids[1])])
    with app.app_context():
        assert drafts.get(draft.id).targets["contacts"] == [ids[1]]


def test_costly_characters_are_rewritten_without_a_script_too(app, client, phone):
    page = read_page(compose(client, text="Reçu, l’œuvre à 5 €", rewrite="1"))
    assert page.find(id="text").text.strip() == "Recu, l'oeuvre à 5 €"
    assert all_messages(app) == []


def kept(client, path="/messages/new?campaign=1", **changes):
    page = BeautifulSoup(client.get(path).text, "html5lib").find(id="compose")
    form = {name: page.find("input", {"name": name})["value"] for name in ("csrf_token", "key", "revision")}
    return form | {"phone": "1", "as_campaign": "y"} | changes


def test_a_campaign_keeps_itself_while_it_is_written(app, client, phone, run_jobs):
    form = kept(client, to="06 39 98 70 01\nquelqu’un, 12", text="Réunion", purpose="information", starts_at="demain")
    answer = client.post("/campaigns/autosave", data=form).json
    run_jobs()
    with app.app_context():
        draft = drafts.get(answer["id"])
        assert draft.being_written
        assert draft.prepared_at is None, "nobody asked for a review yet"
    assert client.get(f"/campaigns/{draft.id}").location == answer["url"]
    page = read_page(client.get(answer["url"]))
    assert page.find(id="text").text.strip() == "Réunion"
    typed = page.find(id="to").text.replace("\xa0", " ")
    assert "06 39 98 70 01" in typed
    assert "quelqu’un" in typed, "what names nobody yet is not lost"
    assert "12" in typed
    # the same page goes on with the same draft, and its button has the last word
    again = client.post("/campaigns/autosave", data=form | {"text": "Réunion à 18 h", "draft": str(answer["id"])})
    assert again.json["id"] == answer["id"]
    stale = form | {"to": "06 39 98 70 01\n06 39 98 70 02", "starts_at": "", "revision": answer["revision"]}
    assert client.post(answer["url"], data=stale).location == f"/campaigns/{draft.id}"
    run_jobs()
    with app.app_context():
        assert drafts.get(draft.id).prepared_at is not None


def test_two_people_at_one_draft_are_told(app, client, phone):
    answer = client.post("/campaigns/autosave", data=kept(client, to=LEA, text="Un")).json
    mine, theirs = (kept(client, answer["url"], to=LEA, draft=str(answer["id"])) for _ in range(2))
    assert client.post("/campaigns/autosave", data=mine | {"text": "Deux"}).status_code == 200
    refused = client.post("/campaigns/autosave", data=theirs | {"text": "Trois"})
    assert refused.status_code == 409
    assert "a changé" in refused.json["error"]
    with app.app_context():
        assert drafts.get(answer["id"]).text == "Deux"


def test_a_page_that_was_left_leaves_no_empty_draft(app, client, phone, get):
    with app.app_context():
        contacts.save(None, None, "Léa", LEA, {})
        contacts.save(None, None, "Bob", BOB, {})
    token = csrf(client, "/contacts/")
    client.post("/contacts/bulk", data={"csrf_token": token, "contact": ["1", "2"], "verb": "write"})
    assert "Aucune campagne pour le moment" in get("/campaigns/").text
    with app.app_context():
        with transaction() as session:
            session.get_one(Campaign, 1).created_at -= drafts.LEFT_BLANK * 2
        drafts.tidy()
        assert db.session.scalar(select(Campaign)) is None
    one = client.post("/contacts/bulk", data={"csrf_token": token, "contact": ["1"], "verb": "write"})
    assert one.location == "/messages/new?contact=1"
    assert get(one.location).select_one("#chosen input[name=contacts]")["value"] == "1"


def test_people_are_counted_once_for_the_bill(app, client, phone):
    with app.app_context():
        inside = groups.save(None, "Parents").id
        for name, number in (("Léa", LEA), ("Bob", BOB), ("Bob aussi", BOB)):
            contacts.save(None, None, name, number, {"ville": "Lyon"}, group_ids=[inside])
        rule = groups.save(None, "Lyon", rule="contact.ville == 'Lyon'").id
    fields = kept(client, text="Bonjour", to="06 39 98 70 01", contacts="1", groups=[str(inside), str(rule)])
    assert client.post("/campaigns/preview", data=fields).json["people"] == 2


def launched(app, run_jobs, *numbers, later=None, **wish):
    with app.app_context():
        preferences.save(preferences.Choices(undo_seconds=0))
        chosen = drafts.Targets(numbers=[{"number": number} for number in numbers])
        draft = drafts.save(None, drafts.Wish(1, wish.pop("text", "Bonjour"), chosen, starts_at=later, **wish), None)
        made = draft.id
        review.compute(made)
        launch.send(made, drafts.get(made).revision, None, may_override=True)
        launch.work(made)
        db.session.rollback()
    run_jobs()
    return made


def test_a_scheduled_campaign_is_changed_and_leaves_once(app, client, phone, run_jobs, get):
    tomorrow = now() + timedelta(days=1)
    old = launched(app, run_jobs, LEA, BOB, later=tomorrow)
    token = csrf(client, f"/campaigns/{old}")
    path = client.post(f"/campaigns/{old}/rewrite", data={"csrf_token": token}).location
    assert client.post(f"/campaigns/{old}/rewrite", data={"csrf_token": token}).location == path, "the same draft"
    assert campaign(app, old).state is CampaignState.SCHEDULED, "until the other is launched"
    page = get(path)
    assert page.find(id="starts_at")["value"]
    form = kept(
        client, path, to=LEA, text="Bonsoir", purpose="information", starts_at=page.find(id="starts_at")["value"]
    )
    client.post(path, data=form)
    run_jobs()
    new = int(path.split("/")[2])
    with app.app_context():
        launch.send(new, drafts.get(new).revision, None, may_override=True)
        launch.work(new)
        lifecycle.finish_verbs()
        db.session.rollback()
    assert campaign(app, old).state is CampaignState.CANCELLED
    waiting = [one.text for one in all_messages(app) if one.status is Status.QUEUED]
    assert waiting == ["Bonsoir"]
    assert "remplacé" in get(f"/campaigns/{old}").text


def test_two_people_who_change_one_campaign_at_once_double_nothing(app, client, phone, run_jobs):
    old = launched(app, run_jobs, LEA, later=now() + timedelta(days=1))
    with app.app_context():
        mine, theirs = drafts.rewrite(old, None).id, drafts.duplicate(old, None).id
        with transaction() as session:  # as when both looked for a draft before there was one
            session.get_one(Campaign, theirs).replaces_id = old
        for draft in (mine, theirs):
            launch.work(draft)
        launch.send(mine, drafts.get(mine).revision, None, may_override=True)
        with pytest.raises(lifecycle.Refused, match="à sa place"):
            launch.send(theirs, drafts.get(theirs).revision, None, may_override=True)
        db.session.rollback()
        assert drafts.get(theirs).state is CampaignState.DRAFT
        assert drafts.get(mine).state is CampaignState.SCHEDULED


def test_a_change_that_comes_too_late_doubles_nothing(app, client, phone, run_jobs):
    old = launched(app, run_jobs, LEA, later=now() + timedelta(days=1))
    with app.app_context():
        new = drafts.rewrite(old, None).id
        with transaction() as session:
            session.get_one(Campaign, old).state = CampaignState.DONE
        with transaction() as session:
            session.get_one(Campaign, new).starts_at = None
            session.get_one(Campaign, new).being_written = False
        review.compute(new)
        with pytest.raises(lifecycle.Refused, match="double"):
            launch.send(new, drafts.get(new).revision, None, may_override=True)


def test_who_answered_what_and_who_did_not(app, client, phone, run_jobs, get):
    sent = launched(app, run_jobs, LEA, BOB, "+33639987003", text="Venez-vous ?")
    with app.app_context():
        contacts.save(None, None, "Léa Martin", LEA, {})
        there = db.session.get(Phone, 1)
        with transaction() as session:
            for number, text, answer in ((LEA, "oui", Answer.YES), (BOB, "Je ne sais pas", None)):
                message = incoming.store(session, there, number, text, now())
                message.answered_campaign_id, message.answer = sent, answer

    def shown(kind):
        rows = get(f"/campaigns/{sent}?answer={kind}").select(".sent-to tbody tr")
        return [row.select_one(".tel").get_text(" ", strip=True).replace("\xa0", " ") for row in rows]

    assert shown("yes") == ["Léa Martin 06 39 98 70 01"]
    assert shown("no") == []
    assert shown("other") == ["06 39 98 70 02"]
    assert shown("none") == ["06 39 98 70 03"]
    assert "Oui (1)" in get(f"/campaigns/{sent}").text


def test_failures_are_sent_again_with_a_price_and_without_dead_numbers(app, client, phone, run_jobs, get):
    dead, alive = "+33639987005", "+33639987006"
    for _ in range(2):
        sent = launched(app, run_jobs, dead)
        fail(app, sent)
    sent = launched(app, run_jobs, dead, alive, LEA)
    fail(app, sent, dead, alive)
    with app.app_context():
        assert lifecycle.retriable(sent) == lifecycle.Retriable(1, 1)
    page = get(f"/campaigns/{sent}")
    asked = next(one for one in page.select("details.ask") if "Renvoyer 1" in one.text.replace("\xa0", " "))
    assert "environ" in asked.text
    assert "laissé de côté" in asked.text
    client.post(f"/campaigns/{sent}/retry", data={"csrf_token": csrf(client, f"/campaigns/{sent}")})
    again = [one.number for one in all_messages(app) if one.campaign_id == sent and one.status is Status.QUEUED]
    assert again == [alive]


def fail(app, campaign_id, *numbers):
    with app.app_context(), transaction() as session:
        mine = [Message.campaign_id == campaign_id, *([Message.number.in_(numbers)] if numbers else [])]
        history.add_all(session, and_(*mine), Status.FAILED, reason="Ce numéro n’existe pas.")


def test_cancelled_never_looks_like_sent(app, client, phone, run_jobs, get):
    sent = launched(app, run_jobs, LEA, BOB, later=now() + timedelta(days=1))
    with app.app_context():
        lifecycle.cancel(sent)
        found = progress.of(drafts.get(sent))
    assert (found.gone, found.waiting, found.pieces) == (0, 0, [("cancelled", 2)])
    page = get(f"/campaigns/{sent}")
    assert page.select_one("svg.stacked")["aria-label"] == "2 annulés"
    assert "0 / 2" in page.select_one(".figures").text
    with app.app_context():
        saving.switch(1, None, on=False)
    later = launched(app, run_jobs, LEA, later=now() + timedelta(days=1))
    assert "est désactivé : rien ne part" in get(f"/campaigns/{later}").text.replace("\xa0", " ")


def test_what_a_page_keeps_by_itself_never_beats_its_button(app, client, phone, run_jobs):
    form = kept(client, to=f"{LEA}\n{BOB}", text="Version A", purpose="information")
    answer = client.post("/campaigns/autosave", data=form).json
    client.post("/messages/new?campaign=1", data=form | {"text": "Version B, finale"})
    late = client.post("/campaigns/autosave", data=form | {"draft": str(answer["id"])})
    assert late.status_code == 409
    with app.app_context():
        draft = drafts.get(answer["id"])
        assert (draft.text, draft.being_written) == ("Version B, finale", False)


def test_a_draft_that_was_thrown_away_does_not_come_back_as_another(app, client, phone, run_jobs):
    old = launched(app, run_jobs, LEA, later=now() + timedelta(days=1))
    with app.app_context():
        draft = drafts.rewrite(old, None).id
    form = kept(client, f"/campaigns/{draft}/edit", to=LEA, text="Bonsoir", draft=str(draft))
    with app.app_context():
        drafts.remove(draft)
    assert client.post("/campaigns/autosave", data=form).status_code == 409
    with app.app_context():
        assert db.session.scalars(select(Campaign.id)).all() == [old]


def test_a_draft_that_replaces_says_what_stays_scheduled(app, client, phone, run_jobs, get):
    old = launched(app, run_jobs, LEA, later=now() + timedelta(days=1))
    with app.app_context():
        draft = drafts.rewrite(old, None).id
    assert "reste programmé" in get(f"/campaigns/{draft}/edit").text
    with app.app_context():
        lifecycle.cancel(old)
        with transaction() as session:
            lifecycle.replace(session, old)  # nothing of it leaves anyway


def test_a_colleagues_version_is_shown_and_overwritten_only_by_a_word(app, client, phone):
    answer = client.post("/campaigns/autosave", data=kept(client, to=LEA, text="Un")).json
    mine, theirs = (kept(client, answer["url"], to=LEA, purpose="information") for _ in range(2))
    client.post(answer["url"], data=theirs | {"text": "Celle de Bob"})
    page = read_page(client.post(answer["url"], data=mine | {"text": "La mienne"}), 400)
    assert "Celle de Bob" in page.text
    assert page.find(id="text").text.strip() == "La mienne"
    again = mine | {"text": "La mienne", "revision": page.find("input", {"name": "revision"})["value"]}
    assert client.post("/campaigns/autosave", data=again | {"draft": str(answer["id"])}).status_code == 409
    word = page.select_one("button[name=overwrite]")["value"]
    assert client.post(answer["url"], data=again | {"overwrite": word}).status_code == 302
    with app.app_context():
        assert drafts.get(answer["id"]).text == "La mienne"


def test_drafts_with_people_outlive_an_empty_text(app, client, phone):
    answer = client.post("/campaigns/autosave", data=kept(client, to=LEA, text="Un")).json
    form = kept(client, answer["url"], to=LEA, text="", draft=str(answer["id"]))
    client.post("/campaigns/autosave", data=form)
    with app.app_context():
        with transaction() as session:
            session.get_one(Campaign, answer["id"]).created_at -= drafts.LEFT_BLANK * 2
        drafts.tidy()
        assert drafts.get(answer["id"]) is not None


def test_nothing_is_sent_again_by_a_deleted_phone(app, client, phone, run_jobs):
    sent = launched(app, run_jobs, LEA)
    fail(app, sent)
    with app.app_context():
        deleting.delete(1, None)
        assert lifecycle.retriable(sent) == lifecycle.Retriable()
        with pytest.raises(lifecycle.Refused, match="supprimé"):
            lifecycle.retry_failed(sent)


def test_a_bill_that_could_not_be_counted_in_a_moment_says_at_most(app, client, phone, run_jobs, get, monkeypatch):
    sent = launched(app, run_jobs, LEA, BOB)
    fail(app, sent)
    monkeypatch.setattr(lifecycle, "INLINE_SECONDS", 0)
    with app.app_context():
        assert lifecycle.retriable(sent) == lifecycle.Retriable(2, 2, is_exact=False)
    shown = get(f"/campaigns/{sent}").text.replace("\xa0", " ")
    assert "2 SMS repartent au plus" in shown
    assert "0 numéro" not in shown


def test_to_cancel_asks_first_but_for_what_was_launched_a_moment_ago(app, client, phone, run_jobs, get):
    later = launched(app, run_jobs, LEA, BOB, later=now() + timedelta(days=1))
    asked = get(f"/campaigns/{later}").select_one(f"details.ask:has(form[action='/campaigns/{later}/cancel'])")
    assert "2 SMS ne partiront pas" in asked.text.replace("\xa0", " ")
    soon = launched(app, run_jobs, LEA, later=now() + timedelta(seconds=40))
    page = get(f"/campaigns/{soon}")
    assert page.select_one(f"form[action='/campaigns/{soon}/cancel']")
    assert page.select_one(f"details form[action='/campaigns/{soon}/cancel']") is None
    for path in ("/scheduled/", "/campaigns/"):
        assert get(path).select_one("form[data-selection] details.ask button.btn-danger"), path
