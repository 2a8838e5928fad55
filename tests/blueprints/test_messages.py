"""Writing, the lists, one message with its history."""

import pytest
from bs4 import BeautifulSoup

from raspisms.campaigns import targets
from raspisms.extensions import db
from raspisms.models import Campaign, Contact, Lane, Status
from raspisms.people import contacts, groups
from raspisms.team import preferences
from tests import factories
from tests.databases import fill_the_disk, locked, shorten_patience
from tests.factories import BOB, LEA, all_messages, compose, csrf, let_go, message, post, read_page


def test_a_composed_message_is_sent(app, client, phone, octopush, run_jobs, get):
    response = compose(client)
    assert response.location == "/conversations/1", "where one goes on"
    assert "Part bientôt" in get("/messages/1").text
    let_go(app)
    run_jobs()
    page = get("/messages/")
    assert "Bonjour" in page.text
    assert "Envoyé" in page.find("tbody").text
    assert octopush.messages[0].number == LEA


def test_several_people_are_a_campaign_in_every_usual_form(app, client, phone):
    response = compose(client, to="06 39 98 70 01, +33639987002\n06.39.98.70.01", purpose="information")
    assert response.location == "/campaigns/1"
    with app.app_context():
        draft = db.session.get(Campaign, 1)
        assert [one.number for one in targets.people(targets.Targets.of(draft.targets))] == [LEA, BOB]


def test_one_person_in_two_spellings_is_no_campaign(app, client, phone):
    assert compose(client, to="06 39 98 70 01, +33639987001").location == "/conversations/1"
    assert [found.number for found in all_messages(app)] == [LEA]


def test_a_name_that_is_typed_is_a_person_or_a_group(app, client, phone):
    with app.app_context():
        parents = groups.save(None, "Parents de CM2").id
        for name, number in (("Léa Martin", LEA), ("Bob Martin", BOB), ("Zoé", "+33639987003")):
            contacts.save(None, None, name, number, {}, group_ids=[parents] if name == "Zoé" else [])
    assert compose(client, to="lea martin").location == "/conversations/1"
    assert compose(client, to="Zoé").location == "/conversations/2", "and not the group that she is in"
    page = read_page(compose(client, to="martin"), 400)
    error = page.find(id="to-error").text.replace("\xa0", " ")
    assert "« martin » peut être : Bob Martin (06 39 98 70 02), Léa Martin (06 39 98 70 01)" in error
    assert page.find(id="to").text.strip() == "martin"
    page = read_page(compose(client, to="Léa Martin, personne d’ici", purpose="information"), 400)
    assert "personne d’ici" in page.find(id="to-error").text
    assert page.select_one("#chosen input[name=contacts]")["value"] == "1", "who was found stays"
    assert page.find(id="to").text.strip() == "personne d’ici"
    response = compose(client, to="parents de cm2; bob martin", purpose="information")
    with app.app_context():
        draft = db.session.get(Campaign, int(response.location.rsplit("/", 1)[1]))
        assert draft.targets["groups"] == [parents]
        assert draft.targets["contacts"] == [2]
    assert "« 06 39 98 70 »" in read_page(compose(client, to="06 39 98 70"), 400).text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"to": ""}, "to", "Écrivez au moins un nom, un groupe ou un numéro."),
        ({"to": "Jean, 0639987001, 12"}, "to", "« Jean », « 12 »"),
        ({"text": "  "}, "text", "Écrivez un texte."),
        ({"text": "a" * 1225}, "text", "Ce texte fait 1225 caractères : 1224 au plus."),
        ({"phone": "99"}, "phone", "Choisissez un de vos téléphones."),
        ({"phone": "abc"}, "phone", ""),
    ],
)
def test_each_mistake_is_named_and_nothing_typed_is_lost(app, client, phone, changes, field, sentence):
    typed = {"to": "06 39 98 70 01", "text": "Bonjour\nà tous"} | changes
    page = read_page(compose(client, **typed), 400)
    assert sentence in page.find(id=f"{field}-error").text.replace("\xa0", " ")
    assert page.find(id="to").text.strip() == typed["to"].strip()
    assert page.find(id="text").text.strip("\n") == typed["text"].strip("\n")
    assert all_messages(app) == []


def test_the_same_page_posted_twice_sends_once(app, client, phone):
    page = client.get("/messages/new")
    from bs4 import BeautifulSoup

    form = BeautifulSoup(page.text, "html5lib").find(id="compose")
    data = {field["name"]: field.get("value", "") for field in form.find_all("input", type="hidden")}
    data |= {"phone": "1", "to": "0639987001", "text": "Bonjour"}
    assert [client.post("/messages/new", data=data).location for _ in range(2)] == ["/conversations/1"] * 2
    assert len(all_messages(app)) == 1


def test_a_reply_goes_first_and_marks_the_question_as_read(app, client, phone, callbacks, run_jobs):
    reply = {"number": LEA, "text": "Quand ?", "sim_card_number": phone.number, "reception_date": "2026-11-23 14:05:10"}
    callbacks.http.post(callbacks.reception, json=reply)
    run_jobs()
    page = read_page(client.get("/messages/new?reply_to=1"))
    assert "Quand ?" in page.text
    assert "06" in page.find(id="to").text
    compose(client, "/messages/new?reply_to=1")
    answer = message(app, 2)
    assert (answer.lane, answer.reply_to_id) == (Lane.REPLY, 1)
    assert message(app, 1).read_at


def test_without_a_phone_the_page_says_what_to_do(get):
    assert "Il faut d’abord un téléphone." in get("/messages/new").text


def test_a_locked_database_loses_nothing_that_was_typed(app, client, phone, monkeypatch):
    with locked(app.config["SQLALCHEMY_DATABASE_URI"]):
        page = client.get("/messages/new")
        assert page.status_code == 200
        shorten_patience(app)
        refused = read_page(compose(client, text="Un long texte"), 503)
    assert "La base de données est occupée." in refused.text
    assert refused.find(id="text").text.strip() == "Un long texte"
    assert all_messages(app) == []


def test_somebody_who_said_stop_is_told(app, client, phone, callbacks, run_jobs):
    reply = {"number": LEA, "text": "STOP", "sim_card_number": phone.number, "reception_date": "2026-11-23 14:05:10"}
    callbacks.http.post(callbacks.reception, json=reply)
    run_jobs()
    page = client.post("/messages/new", data={}, follow_redirects=True)
    told = read_page(compose(client), 400)
    assert "06 39 98 70 01 a envoyé STOP" in told.text.replace("\xa0", " ")
    assert told.find(id="text").text.strip(), "nothing that was typed is lost"
    assert page.status_code == 400
    assert all_messages(app, direction="out") == []


def test_a_message_tells_its_story(app, client, phone, octopush, callbacks, run_jobs, get):
    from tests.factories import deliveries

    [sent] = post(app, phone, "+33639980004")
    run_jobs()
    deliveries(octopush, 2)
    run_jobs()
    page = get(f"/messages/{sent}")
    assert "pas attribué" in page.find(class_="notice").text
    states = [row.find(class_="state").text for row in page.select(".timeline li")]
    assert states in (
        ["Échec", "Envoyé", "Envoyé", "Envoi en cours", "En attente"],
        ["Échec", "Échec", "Envoyé", "Envoi en cours", "En attente"],  # the reports may cross on their way
    )
    assert "BAD_DESTINATION" in page.text
    assert "0,045\xa0€" in page.text


def test_a_message_that_is_not_there_is_a_404(get):
    get("/messages/99", 404)


def test_a_fragment_is_only_the_list(app, client, phone):
    post(app, phone)
    fragment = client.get("/messages/?fragment=1").text
    assert "<table" in fragment
    assert "<html" not in fragment


def test_long_lists_are_paged_by_id(app, client, phone, get):
    post(app, phone, *[f"+3363998{n:04d}" for n in range(120)])
    first = get("/messages/")
    assert len(first.select("tbody tr")) == 50
    second = get(first.find("a", string="Suite")["href"])
    third = get(second.find("a", string="Suite")["href"])
    assert len(third.select("tbody tr")) == 20
    assert third.find("a", string="Suite") is None
    assert third.find("a", string="Début de la liste")


def test_texts_are_shown_as_texts(app, client, phone, get):
    [sent] = post(app, phone, text="<script>alert(1)</script> {{ 7*7 }} &amp;")
    assert "<script>alert(1)</script> {{ 7*7 }} &amp;" in get(f"/messages/{sent}").find(class_="bubble").text
    assert "<script>alert" not in client.get("/messages/").text


def test_received_messages_are_listed_read_and_unread(app, client, phone, callbacks, run_jobs, get):
    for second, text in enumerate(["Un", "Deux", ""]):
        reply = {"number": LEA, "text": text, "sim_card_number": phone.number}
        callbacks.http.post(callbacks.reception, json=reply | {"reception_date": f"2026-11-23 14:05:1{second}"})
    run_jobs()
    page = get("/received/")
    assert len(page.select("tr.unread")) == 3
    assert "(vide)" in page.text
    assert page.find(class_="count").text.startswith("3")
    get("/messages/1")
    token = csrf(client, "/profile/")
    client.post("/received/2/read", data={"csrf_token": token})
    assert len(get("/received/?unread=1").select("tbody tr")) == 1
    client.post("/received/1/unread", data={"csrf_token": token})
    assert len(get("/received/?unread=1").select("tbody tr")) == 2
    client.post("/received/read", data={"csrf_token": token, "up_to": "3"})
    assert "Aucun SMS non lu." in get("/received/?unread=1").text


def test_a_message_written_by_a_command_says_so(app, phone, get):
    [sent] = post(app, phone)
    assert "une commande" in get(f"/messages/{sent}").text
    assert message(app, sent).status is Status.QUEUED


def test_the_price_of_the_last_message_is_the_estimate(app, client, phone, octopush, run_jobs, get):
    assert get("/messages/new").select_one("#phone option")["data-price"] == ""
    post(app, phone, text="a" * 161)
    run_jobs()
    assert float(get("/messages/new").select_one("#phone option")["data-price"]) == 0.045


def test_the_form_offers_phones_with_their_numbers(app, client, phone, get):
    with app.app_context():
        factories.phone(name="École", number="+33639989999")
    options = [option.text.strip() for option in get("/messages/new").select("#phone option")]
    assert options == ["Mairie (07\xa055\xa055\xa011\xa011)", "École (06\xa039\xa098\xa099\xa099)", "N’importe lequel"]


def test_a_full_disk_loses_nothing_that_was_typed(app, client, phone):
    fill_the_disk(app)
    text = "Un texte assez long pour demander une page de plus. " * 20
    many = "\n".join(f"06 39 98 {n // 100:02d} {n % 100:02d}" for n in range(7000, 7400))
    refused = read_page(compose(client, to=many, text=text, purpose="information"), 503)
    assert "Le disque est plein." in refused.text
    assert refused.find(id="text").text.strip() == text.strip()
    assert all_messages(app) == []


def test_what_failed_is_written_again_with_one_click(app, client, phone, octopush, run_jobs, get):
    [sent] = post(app, phone, "+33639980136", text="Un texte refusé")
    run_jobs()
    [link] = [a["href"] for a in get(f"/messages/{sent}").select("main a") if "Réécrire" in a.text]
    page = get(link)
    assert page.find(id="text").text.strip() == "Un texte refusé"
    assert page.find(id="to").text.split() == ["06", "39", "98", "01", "36"]
    compose(client, link)
    assert message(app, 2).lane == Lane.SINGLE


@pytest.mark.parametrize("undo", [0, 5])
@pytest.mark.parametrize("any_phone", [False, True], ids=["one phone", "any phone"])
def test_the_same_page_sent_twice_sends_once(app, phone, client, undo, any_phone):
    with app.app_context():
        factories.phone("Secours", number="+33755552222")
        preferences.save(preferences.Choices(undo_single=undo))
        db.session.remove()
    page = BeautifulSoup(client.get("/messages/new").text, "html5lib")
    form = {name: page.find("input", {"name": name})["value"] for name in ("csrf_token", "key")}
    form |= {"phone": "0" if any_phone else str(phone.id), "to": "06 39 98 70 01", "text": "Votre code : 4821"}
    for _ in range(2):
        assert client.post("/messages/new", data=form).status_code == 302
    assert len(factories.all_messages(app)) == 1
    client.post("/messages/new", data=form | {"text": "Un autre texte"})
    assert len(factories.all_messages(app)) == 2, "what is typed makes it another"


def test_the_same_draft_sent_twice_is_one(app, phone, client):
    page = BeautifulSoup(client.get("/messages/new?campaign=1").text, "html5lib")
    form = {name: page.find("input", {"name": name})["value"] for name in ("csrf_token", "key")}
    form |= {
        "phone": str(phone.id),
        "to": "06 39 98 70 01",
        "text": "Bonjour",
        "purpose": "information",
        "as_campaign": "1",
    }
    places = {client.post("/messages/new", data=form).location for _ in range(2)}
    assert len(places) == 1


def chosen(app, *people):
    with app.app_context():
        return [str(contacts.save(None, None, name, number, {}).id) for name, number in people]


def test_nobody_is_dropped_where_two_share_a_telephone(app, client, phone):
    ids = chosen(app, ("Anne Roux", LEA), ("Bruno Roux", LEA), ("Karim", BOB))
    response = compose(client, to="", contacts=ids, purpose="information")
    assert response.location == "/campaigns/1"
    response = compose(client, to="Anne Roux\nBruno Roux\nKarim", purpose="information")
    with app.app_context():
        assert db.session.get(Campaign, int(response.location.rsplit("/", 1)[1])).targets["contacts"] == [1, 2, 3]
    assert all_messages(app) == []
    with app.app_context():
        contacts.delete_some(Contact.id == 3)
    page = read_page(compose(client, to="", contacts=["3"]), 400)
    assert "n’est plus dans vos contacts" in page.find(id="to-error").text


def test_half_a_name_sends_nothing_before_somebody_looked(app, client, phone):
    chosen(app, ("Joanna Petit", LEA))
    page = read_page(compose(client, to="ann"), 400)
    assert "Est-ce bien : Joanna Petit" in page.find(id="to-error").text.replace("\xa0", " ")
    assert page.select_one("#chosen input[name=contacts]")["value"] == "1"
    assert page.find(id="to").text.strip() == ""
    assert all_messages(app) == []
    assert compose(client, to="", contacts=["1"]).location == "/conversations/1"


def test_people_are_taken_out_without_a_script(app, client, phone):
    ids = chosen(app, ("Léa", LEA), ("Bob", BOB))
    page = read_page(compose(client, to="", contacts=ids, drop="contacts:1"))
    assert [one["value"] for one in page.select("#chosen input[name=contacts]")] == ["2"]
    assert page.find(id="text").text.strip() == "Bonjour"
    assert all_messages(app) == []


def test_who_was_deleted_a_moment_ago_is_nobody(app, client, phone):
    chosen(app, ("Léa", LEA))
    client.post("/contacts/1/delete", data={"csrf_token": csrf(client, "/contacts/")})
    assert "« Léa »" in read_page(compose(client, to="Léa"), 400).text.replace("\xa0", " ")


@pytest.mark.parametrize("typed", ["Chorale\n0639987002", "0639987002\nChorale", "Chorale, Karim\nChorale, 0639987002"])
def test_a_name_above_a_number_is_no_heading(app, client, phone, typed):
    with app.app_context():
        choir = groups.save(None, "Chorale").id
        contacts.save(None, None, "Anne", LEA, {}, group_ids=[choir])
        contacts.save(None, None, "Karim", "+33639987003", {})
    response = compose(client, to=typed, purpose="information")
    with app.app_context():
        draft = db.session.get(Campaign, int(response.location.rsplit("/", 1)[1]))
        assert draft.targets["groups"] == [choir]
        assert [one["number"] for one in draft.targets["numbers"]] == [BOB]
        assert draft.targets["contacts"] == ([2] if "Karim" in typed else [])


def test_a_table_has_columns_and_titles(app, client, phone):
    response = compose(client, to="nom\ttéléphone\nAnne\t0639987001\nKarim\t0639987002", purpose="information")
    with app.app_context():
        draft = db.session.get(Campaign, int(response.location.rsplit("/", 1)[1]))
        assert [(one["name"], one["number"]) for one in draft.targets["numbers"]] == [
            ("Anne", "0639987001"),
            ("Karim", "0639987002"),
        ]


def test_a_page_that_comes_back_still_says_which_draft_it_began_from(app, client, phone):
    there = compose(client, to="06 39 98 70 01", purpose="information", as_campaign="1").location + "/edit"
    begun = BeautifulSoup(client.get(there).text, "html5lib").find("input", {"name": "revision"})["value"]
    changes = {"purpose": "information", "as_campaign": "1"}
    assert compose(client, there, text="Celui de Bob", revision=begun, **changes).status_code == 302
    for changed in ({"text": ""}, {"drop": "contacts:9"}):
        page = BeautifulSoup(compose(client, there, revision=begun, **(changes | changed)).text, "html5lib")
        assert page.find("input", {"name": "revision"})["value"] == begun
    page = read_page(compose(client, there, text="Le mien", revision=begun, **changes), 400)
    assert "Celui de Bob" in page.text


@pytest.mark.parametrize("changes", [{"text": ""}, {"drop": "contacts:9"}, {"to": "LEA", "purpose": ""}])
def test_a_file_is_chosen_once_whatever_comes_back(app, client, phone, changes):
    from io import BytesIO

    file = (BytesIO(b"nom;numero\nAnne;0639987001\nKarim;0639987002\n"), "familles.csv")
    page = BeautifulSoup(compose(client, **({"to": "", "file": file} | changes)).text, "html5lib")
    kept = page.find("input", {"name": "import_id"})
    assert "familles.csv" in page.find(id="chosen").text
    response = compose(
        client, to="", import_id=kept["value"], file_name="familles.csv", purpose="information", as_campaign="1"
    )
    with app.app_context():
        draft = db.session.get(Campaign, int(response.location.rsplit("/", 1)[1]))
        wanted = targets.people(targets.Targets.of(draft.targets))
        assert [one.number for one in wanted] == [LEA, BOB]


def test_nobody_writes_to_who_was_deleted_a_moment_ago(app, client, phone, get):
    with app.app_context():
        choir = groups.save(None, "Chorale").id
        for name, number in (("Anne", LEA), ("Karim", BOB)):
            contacts.save(None, None, name, number, {}, group_ids=[choir])
        everybody = groups.save(None, "Tous", rule="exists(contact_metas.name)").id
    client.post("/contacts/1/delete", data={"csrf_token": csrf(client, "/contacts/")})
    read_page(compose(client, to="", contacts=["1"]), 400)
    for group in (choir, everybody):
        assert "Anne" not in get(f"/groups/{group}").find("main").text
        with app.app_context():
            wanted = list(targets.people(targets.Targets(groups=[group])))
            assert [one.person.name for one in wanted] == ["Karim"]
    token = {"csrf_token": csrf(client, "/groups/")}
    client.post(f"/groups/{choir}/add", data=token | {"people": "0639987001"})
    assert "0639987001 » n’est pas dans vos contacts" in get(f"/groups/{choir}").text.replace("\xa0", " ")
    with app.app_context():
        assert [one.is_gone for one in targets.people(targets.Targets(contacts=[1]))] == [True]
    assert "1 contact" in get("/groups/").find("tbody").text.replace("\xa0", " ")
    assert all_messages(app) == []


def test_a_group_that_goes_under_a_page_goes_with_a_word(app, client, phone):
    with app.app_context():
        choir = groups.save(None, "Chorale").id
        contacts.save(None, None, "Anne", LEA, {}, group_ids=[choir])
    client.post(f"/groups/{choir}/delete", data={"csrf_token": csrf(client, "/groups/")})
    page = read_page(compose(client, to="06 39 98 70 02", groups=[str(choir)], purpose="information"), 400)
    assert "Un groupe choisi n’existe plus" in page.find(id="to-error").text
    assert "06 39 98 70 02" in page.find(id="to").text.replace("\xa0", " ")
    assert page.select("[name=groups][checked], #chosen [name=groups]") == []
    assert all_messages(app) == []


def test_a_draft_without_words_is_found_once_it_had_some(app, client, phone, get):
    there = compose(client, to="06 39 98 70 01", purpose="information", as_campaign="1").location
    form = BeautifulSoup(client.get(there + "/edit").text, "html5lib").find(id="compose")
    data = {name: form.find("input", {"name": name})["value"] for name in ("csrf_token", "key", "revision")}
    data |= {"draft": there.rsplit("/", 1)[1], "phone": "1", "to": "06 39 98 70 01", "text": "", "name": ""}
    assert client.post("/campaigns/autosave", data=data).status_code == 200
    assert "(sans texte)" in get("/campaigns/").find("tbody").text
