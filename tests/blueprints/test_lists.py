"""Every list: found, filtered, sorted, ticked, exported; and nothing that is typed into an address breaks it."""

import csv
import io
import itertools

import pytest
from sqlalchemy import select

from raspisms import pagination
from raspisms.campaigns import drafts, launch, review
from raspisms.campaigns.targets import Targets
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.messages import listing
from raspisms.models import Campaign, CampaignState, Conversation, Message, Note, Phone, Role, SavedText, Status
from raspisms.people import contacts, groups, opt_outs
from raspisms.receiving import incoming
from raspisms.storage.transactions import transaction
from raspisms.team import users
from tests import factories
from tests.factories import BOB, LEA, csrf, post, read_page

FORMULA = '=HYPERLINK("http://x")'
FAR = "99999999999999999999"
ODD = (
    "'",
    '"',
    "%",
    "_",
    "\\",
    "\x00",
    "é" * 300,
    "-1",
    "99999999999999999999",
    "~",
    "2026-13-45",
    "[]",
    "null",
    "NaN~1",
    "~" + "9" * 5_000,
    "9999-12-31T23:59:59-23:59~3",
    "0001-01-01T00:00:00+14:00~3",
)


@pytest.fixture
def here(app, phone):
    with app.app_context():
        yield db.session.get(Phone, phone.id)
        db.session.rollback()


def hear(phone, text, number=LEA):
    with transaction() as session:
        return incoming.store(session, phone, number, text, now()).id


def schedule(days=1, **wish):
    from datetime import timedelta

    draft = drafts.save(None, drafts.Wish(1, "Réunion", Targets(numbers=[{"number": LEA}]), **wish), 1)
    with transaction() as session:
        session.get(Campaign, draft.id).starts_at = now() + timedelta(days=days)
    review.compute(draft.id)
    launch.send(draft.id, db.session.get(Campaign, draft.id).revision, 1, may_override=True)
    return draft.id


def rows(page):
    return [line.get_text(" ", strip=True).replace("\xa0", " ") for line in page.select("tbody tr")]


def lines(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff")), delimiter=";"))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/messages/", ("q", "status", "phone", "tag", "from", "to", "sort", "after")),
        ("/received/", ("q", "phone", "from", "to", "unread", "campaign", "sort", "after")),
        ("/scheduled/", ("q", "phone", "sort", "after")),
        ("/campaigns/", ("q", "state", "tag", "sort", "after")),
        ("/contacts/", ("q", "group", "sort", "after")),
        ("/opt-outs/", ("q", "origin", "sort", "after")),
        ("/events/", ("q", "action", "user", "sort", "after")),
        ("/conversations/", ("q", "view", "tag", "phone", "after", "chosen")),
        ("/search/", ("q",)),
    ],
)
def test_whatever_an_address_says_the_list_is_there(client, here, path, names):
    hear(here, "Bonjour")
    for name in names:
        for value in ODD:
            answer = client.get(path, query_string={name: value})
            # No database counts that far: such a line is not there.
            may_miss = value == FAR and name in {"phone", "campaign", "group", "user", "chosen"}
            assert answer.status_code in ({200, 404} if may_miss else {200}), (name, value)
    for sort, value in itertools.product(("number", "updated"), ODD):
        answer = client.get(path, query_string={"sort": sort, "after": value})
        assert answer.status_code == 200, value


def test_sent_messages_are_filtered_and_exported_as_shown(app, client, phone, get):
    post(app, phone, LEA, text=FORMULA, tag="réunion")
    post(app, phone, BOB, text="Bonjour")
    assert len(rows(get("/messages/?tag=réunion"))) == 1
    assert len(rows(get("/messages/?status=queued"))) == 2
    assert "Aucun SMS ne correspond" in get("/messages/?status=failed").text
    assert len(rows(get("/messages/?from=2020-01-01&to=2020-01-02"))) == 0
    header, line = lines(client, "/messages/sent.csv?tag=réunion")
    assert header[:6] == ["Expéditeur", "Destinataire", "Message", "Tag", "Date", "Statut"]
    assert line[:4] == ["Mairie", LEA, f"'{FORMULA}", "réunion"]


def test_ticked_messages_are_cancelled_or_written_to_again(app, client, phone):
    ids = post(app, phone, LEA, BOB)
    token = csrf(client, "/messages/")
    answer = client.post("/messages/bulk", data={"csrf_token": token, "chosen": ids, "verb": "write"})
    page = client.get(answer.location).text
    assert "06 39 98 70 01\n06 39 98 70 02" in page.replace("\xa0", " ")
    client.post("/messages/bulk", data={"csrf_token": token, "chosen": ids[:1], "verb": "cancel"})
    assert [one.status for one in factories.all_messages(app)] == [Status.CANCELLED, Status.QUEUED]
    client.post("/messages/bulk", data={"csrf_token": token, "chosen": ids[:1], "verb": "cancel"})
    assert client.post("/messages/bulk", data={"csrf_token": token, "verb": "boom"}).status_code == 400


def test_received_messages_are_marked_deleted_and_exported(app, client, here, get):
    first, second = hear(here, FORMULA), hear(here, "Deux")
    token = csrf(client, "/received/")
    client.post("/received/bulk", data={"csrf_token": token, "chosen": [first, second], "verb": "read"})
    assert db.session.scalar(select(Conversation.unread)) == 0
    client.post("/received/bulk", data={"csrf_token": token, "chosen": [first], "verb": "unread"})
    assert [line[2] for line in lines(client, "/received/received.csv?unread=1")] == ["Message", f"'{FORMULA}"]
    client.post("/received/bulk", data={"csrf_token": token, "chosen": [first], "verb": "delete"})
    assert len(rows(get("/received/"))) == 1
    factories.undo_is_over(app)
    assert [one.text for one in factories.all_messages(app)] == ["Deux"]
    assert "SMS reçus supprimés" in get("/events/").text


def test_only_an_administrator_deletes(app, here):
    message = hear(here, "Un")
    member = factories.signed_in(app, factories.user(app, "bob@example.org", Role.MEMBER))
    token = csrf(member, "/received/")
    answer = member.post("/received/bulk", data={"csrf_token": token, "chosen": [message], "verb": "delete"})
    assert answer.status_code == 403
    assert member.post("/opt-outs/bulk", data={"csrf_token": token, "chosen": [1]}).status_code == 403
    assert db.session.get(Message, message) is not None


def test_what_is_scheduled_is_listed_and_can_be_cancelled(app, client, here, get):
    one, two = schedule(days=2, name="Plus tard", tag="conseil"), schedule(days=1, name="Demain")
    shown = rows(get("/scheduled/"))
    assert ["Demain" in shown[0], "Plus tard" in shown[1]] == [True, True]
    assert "conseil" in shown[1]
    assert [line[2] for line in lines(client, "/scheduled/scheduled.csv?q=demain")] == ["Nom", "Demain"]
    client.post("/scheduled/cancel", data={"csrf_token": csrf(client, "/scheduled/"), "chosen": [one]})
    db.session.expire_all()
    assert db.session.get(Campaign, one).state is CampaignState.CANCELLED
    assert db.session.get(Campaign, two).state is CampaignState.SCHEDULED


def test_campaigns_are_found_sorted_and_paused_together(app, client, here, get):
    ids = [schedule(name=name) for name in ("Bal", "Apéro")]
    assert "Apéro" in rows(get("/campaigns/?sort=name"))[0]
    assert len(rows(get("/campaigns/?q=BAL"))) == 1
    assert len(rows(get("/campaigns/?state=done"))) == 0
    client.post("/campaigns/bulk", data={"csrf_token": csrf(client, "/campaigns/"), "chosen": ids, "verb": "cancel"})
    db.session.expire_all()
    assert {one.state for one in db.session.scalars(select(Campaign))} == {CampaignState.CANCELLED}
    assert [line[1] for line in lines(client, "/campaigns/campaigns.csv")] == ["Statut", "Annulée", "Annulée"]


def test_contacts_are_sorted_by_what_raspisms_shows(client, app, get):
    with app.app_context():
        added = [contacts.save(None, None, name, LEA, {}) for name in ("Bob", "Ana", "Zoé")]
        contacts.save(added[0].id, added[0].version, "Bob", BOB, {})
    assert [row.split()[0] for row in rows(get("/contacts/"))] == ["Ana", "Bob", "Zoé"]
    assert [row.split()[0] for row in rows(get("/contacts/?sort=-name"))] == ["Zoé", "Bob", "Ana"]
    assert [row.split()[0] for row in rows(get("/contacts/?sort=created"))] == ["Bob", "Ana", "Zoé"]
    assert rows(get("/contacts/?sort=-updated"))[0].split()[0] == "Bob"


@pytest.mark.parametrize("sort", ["", "-name", "updated", "-updated", "created", "-created"])
def test_every_order_of_contacts_shows_everybody_once(client, app, get, monkeypatch, sort):
    monkeypatch.setattr("raspisms.blueprints.contacts.PAGE", 2)
    with app.app_context():
        for name in ("A", "A", "B", "C", "C"):
            contacts.save(None, None, name, LEA, {})
    page, seen = get(f"/contacts/?sort={sort}"), []
    while True:
        seen += [link["href"] for link in page.select("tbody .name a")]
        following = page.find("a", string="Suite")
        if following is None:
            break
        page = get(following["href"])
    assert len(seen) == len(set(seen)) == 5


def test_events_say_who_did_what_and_cannot_be_deleted(app, client, alice, get):
    with app.app_context():
        groups.save(None, FORMULA, user_id=alice.id)
        assert users.sign_in("nobody@example.org", "a wrong password") is None
    assert len(rows(get("/events/"))) == 2
    assert "Groupe ajouté" in rows(get(f"/events/?user={alice.id}"))[0]
    assert len(rows(get("/events/?action=group+added"))) == 1
    assert [line[2] for line in lines(client, "/events/events.csv?q=HYPER")] == ["Texte", f"'{FORMULA}"]
    assert not [
        rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("events") and "POST" in rule.methods
    ]


def test_pages_leave_compressed_and_light(client, app, phone):
    post(app, phone, *[f"+3363998{n:04d}" for n in range(60)], text="Bonjour " * 15)
    total = 0
    page = client.get("/messages/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in page.headers["Vary"]
    import gzip
    import re

    total += len(page.data)
    found = re.findall(r'(?:href|src)="(/(?:static|bootstrap)[^"#]+)', gzip.decompress(page.data).decode())
    for address in set(found):
        part = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert part.status_code == 200
        total += len(part.get_data())
        part.close()
    assert total < 100 * 1024, total


def test_who_asks_for_no_compression_gets_none(client):
    page = client.get("/messages/", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in page.headers
    assert "<html" in page.text


def test_one_search_finds_everything(client, here, get):
    hear(here, "Le préau est-il ouvert ?")
    hear(here, "Bonjour", BOB)
    contacts.save(None, None, "Zoé Préau", "0639987003", {"ville": "Lyon"})
    groups.save(None, "Amis du préau")
    with transaction() as session:
        bob = session.scalars(select(Conversation).where(Conversation.number == BOB)).one()
        session.add(Note(conversation_id=bob.id, user_id=1, text="A la clé du préau."))
        session.add(SavedText(name="Préau", text="Le préau ouvre à 9 h."))
        bob.closed_at = now()
    schedule(name="Fête sous le préau")
    kinds = ("Zoé Préau", "est-il ouvert ?", "A la clé du", "Fête sous", "Amis du", "ouvre à 9 h")
    found = [
        line.get_text(" ", strip=True).replace("\xa0", " ") for line in get("/search/?q=PREAU").select(".found li")
    ]
    assert len(found) == len(kinds)
    assert all(any(kind in line for line in found) for kind in kinds), found
    # a conversation that is closed is found by its note, without asking for closed ones
    assert "A la clé du" in get("/conversations/?q=preau").text
    assert "Rien n’a été trouvé" in get("/search/?q=nulle+part").text


def test_a_saved_text_is_given_as_the_person_gets_it(client, here, get):
    hear(here, "Bonjour")
    contacts.save(None, None, "Léa", LEA, {"ville": "Lyon"})
    with transaction() as session:
        session.add(SavedText(name="Salut", text="Bonjour {{ contact_metas.name }}, à {{ contact.ville }} ?"))
        session.add(SavedText(name="Faux", text="Bonjour {{ contact.ville | nothing }}"))
    wanted = f"/conversations/{db.session.scalar(select(Conversation.id))}/text/"
    assert client.get(wanted + "1").json == {"text": "Bonjour Léa, à Lyon ?"}
    assert "error" in client.get(wanted + "2").json
    path = wanted.removesuffix("text/") + "reply"
    form = {"csrf_token": csrf(client, "/profile/"), "text": "Déjà tapé.", "key": "k", "number": LEA, "seen": "1"}
    page = read_page(client.post(path, data=form | {"saved": "1"}))
    assert page.select_one("#text").text.strip() == "Déjà tapé.\nBonjour Léa, à Lyon ?"
    page = read_page(client.post(path, data=form | {"saved": "2"}), 400)
    assert page.select_one("#text").text.strip() == "Déjà tapé."
    assert client.get(wanted + "99").status_code == 404


def test_a_reply_to_who_said_stop_meanwhile_is_not_lost(app, client, here, get):
    hear(here, "Bonjour")
    with transaction() as session:
        opt_outs.add(session, LEA, "person")
    path = f"/conversations/{db.session.scalar(select(Conversation.id))}"
    form = {
        "csrf_token": csrf(client, "/profile/"),
        "text": "Une longue réponse",
        "key": "k",
        "number": LEA,
        "seen": "1",
    }
    page = read_page(client.post(f"{path}/reply", data=form), 400)
    assert page.find(id="unsent").text.strip() == "Une longue réponse"
    assert "STOP" in page.select_one(".unsent .error").text
    assert page.find(id="text") is None


def test_lists_say_how_long_they_are(client, app, here, get):
    def said(path):
        return get(path).select_one(".total").text.replace("\xa0", " ")

    for name in ("Bal", "Apéro"):
        schedule(name=name)
    assert (said("/scheduled/"), said("/campaigns/")) == ("2 SMS", "2 campagnes")
    hear(here, "Bonjour")
    assert said("/received/") == "1 SMS"
    post(app, here, *[f"+3363998{n:04d}" for n in range(pagination.SIZE + 2)])
    db.session.rollback()  # what was read until here was of before
    assert said("/messages/") == f"{pagination.SIZE + 2} SMS"
    assert said(get("/messages/").find("a", rel="next")["href"]) == f"{pagination.SIZE + 2} SMS"


def test_a_list_is_counted_to_a_limit(app, phone, monkeypatch):
    post(app, phone, *[f"+3363998{n:04d}" for n in range(8)])
    monkeypatch.setattr("raspisms.pagination.MOST_COUNTED", 5)
    with app.app_context():
        assert pagination.page(select(Message), listing.ORDERS["newest"], None, 3).total == 6
        assert pagination.page(select(Message), listing.ORDERS["newest"], None, 10).total == 8
