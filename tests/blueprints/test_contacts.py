"""The pages of contacts, imports, groups, opt-outs, saved texts, figures and preferences."""

import io

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import inspect as sa_inspect
from sqlalchemy import select
from sqlalchemy import text as sa_text

from raspisms.extensions import db
from raspisms.models import Campaign, Contact, Import, ImportPiece, JournalEntry, Message, Role, SavedText, Status
from raspisms.people import contacts, groups, opt_outs
from raspisms.sms import phone_numbers
from raspisms.team import preferences
from tests import factories
from tests.factories import BOB, LEA, csrf, post, read_page


@pytest.fixture
def send_form(client):
    """Post a form as its page would."""

    def send_form(path, page=None, **fields):
        return client.post(path, data=fields | {"csrf_token": csrf(client, page or path)})

    return send_form


@pytest.fixture
def lea(app):
    with app.app_context():
        return contacts.save(None, None, "Léa", LEA, {"ville": "Lyon"}).id


def people(app):
    with app.app_context():
        return {contact.name: contact.number for contact in db.session.scalars(select(Contact))}


def test_a_contact_is_added_with_its_data_and_shown(app, send_form, get):
    response = send_form(
        "/contacts/new", name="Léa", number="06 39 98 70 01", key=["ville", "", "vip !"], value=["Lyon", "", "oui"]
    )
    page = get(response.location)
    assert page.h1.text == "Léa"
    assert "Lyon" in page.text
    assert "vip" in page.text
    assert "Léa" in get("/contacts/").text


def test_a_wrong_contact_keeps_what_was_typed(app, send_form):
    page = read_page(send_form("/contacts/new", name="Léa", number="12", key=["ville"], value=["Lyon"]), 400)
    assert "Ce n’est pas un numéro" in page.find(id="number-error").text
    assert page.find("input", {"name": "key"})["value"] == "ville"
    assert page.find("input", {"name": "value"})["value"] == "Lyon"
    assert people(app) == {}


def test_two_people_on_one_contact_are_told_and_lose_nothing(app, client, lea, send_form):
    path = f"/contacts/{lea}/edit"
    token = csrf(client, path)
    version = BeautifulSoup(client.get(path).text, "html5lib").find(id="version")["value"]
    assert send_form(path, name="Léa A", number=LEA, version=version).status_code == 302
    stale = {"name": "Léa B", "number": LEA, "version": version, "csrf_token": token}
    page = read_page(client.post(path, data=stale), 400)
    assert "Quelqu’un a modifié ce contact" in page.text
    assert page.find(id="name")["value"] == "Léa B"
    again = {"name": "Léa B", "number": LEA, "version": page.find(id="version")["value"], "csrf_token": token}
    assert client.post(path, data=again).status_code == 302
    assert people(app) == {"Léa B": LEA}


def test_everybody_of_a_search_not_only_the_page(app, send_form, client):
    with app.app_context():
        for at in range(60):
            contacts.save(None, None, f"P{at}", f"06399871{at:02}", {})
        group = groups.save(None, "G")
    send_form("/contacts/bulk", page="/contacts/", verb="add", to_group=str(group.id), q="p", all="1")
    with app.app_context():
        assert len(list(groups.members([group.id]))) == 60
    response = send_form("/contacts/bulk", page="/contacts/", verb="delete", contact=["1", "2"])
    assert response.status_code == 302
    factories.undo_is_over(app)
    assert len(people(app)) == 58
    assert send_form("/contacts/bulk", page="/contacts/", verb="delete").status_code == 302
    assert len(people(app)) == 58, "nothing ticked, nothing done"


def test_a_file_is_read_corrected_applied_and_undone(app, client, send_form, run_jobs, get):
    file = (io.BytesIO("Nom;Portable\nLéa;0639987001\nFaux;12\n".encode("cp1252")), "liste.csv")
    response = client.post("/imports/new", data={"file": file, "csrf_token": csrf(client, "/imports/new")})
    assert response.location == "/imports/1"
    assert "Lecture du fichier" in get("/imports/1").text
    run_jobs()
    page = get("/imports/1")
    field = page.find("input", {"aria-label": "Numéro de la ligne 3"})
    send_form("/imports/1/lines", page="/imports/1", **{field["name"]: BOB})
    assert "relue autrement" in get(send_form("/imports/1/apply", page="/imports/1", reading="another").location).text
    assert get("/imports/1").find("input", {"name": "reading"})["value"] == Import().reading
    send_form("/imports/1/apply", page="/imports/1", reading=Import().reading)
    run_jobs()
    assert people(app) == {"Léa": LEA, "Faux": BOB}
    send_form("/imports/1/undo", page="/imports/1")
    run_jobs()
    assert people(app) == {}
    assert "comme avant" in get("/imports/1").text


@pytest.mark.parametrize("pasted", ["", " \n"])
def test_nothing_is_no_list(app, send_form, pasted):
    page = read_page(send_form("/imports/new", pasted=pasted), 400)
    assert page.find(class_="error").text.strip()


def test_what_is_no_list_is_told_by_the_import(app, send_form, run_jobs, get):
    assert send_form("/imports/new", pasted="[{").location == "/imports/1"
    run_jobs()
    page = get("/imports/1")
    assert "Ligne 1 : Ce fichier JSON est mal formé." in page.find(class_="notice").text.replace("\xa0", " ")
    assert "Rien n’est enregistré" in page.text
    assert people(app) == {}
    with app.app_context():
        assert db.session.query(ImportPiece).all() == []


def test_a_rule_is_previewed_and_its_mistake_has_a_place(app, lea, send_form):
    path = "/groups/new?conditional=1"
    page = read_page(send_form(path, name="Lyon", rule="contact.ville == 'Lyon'", preview="1"))
    assert "1 contact" in page.find(class_="notice").text.replace("\xa0", " ")
    page = read_page(send_form(path, name="Lyon", rule="contact.ville == ("), 400)
    assert "Au caractère" in page.find(id="rule-error").text
    assert page.find(id="rule").text.strip() == "contact.ville == ("
    response = send_form(path, name="Lyon", rule="contact.ville == 'Lyon'")
    assert send_form(f"{response.location}/delete-people", page=response.location).status_code == 302
    factories.undo_is_over(app)
    assert people(app) == {}


def test_opt_outs_are_added_found_and_taken_off_by_administrators_only(app, client, send_form, get):
    send_form("/opt-outs/", numbers="06 39 98 70 01\npas un numéro\n0639987002")
    assert "pas un numéro" in get("/opt-outs/").text
    assert "06 39 98 70 01" in get("/opt-outs/?q=0639987001").find("tbody").text.replace("\xa0", " ")
    member = factories.signed_in(app, factories.user(app, "bob@example.org", Role.MEMBER))
    assert member.post("/opt-outs/1/delete", data={"csrf_token": csrf(member, "/opt-outs/")}).status_code == 403
    send_form("/opt-outs/1/delete", page="/opt-outs/")
    with app.app_context():
        assert [one.number for one in db.session.scalars(opt_outs.matching(""))] == [BOB]
    assert LEA not in client.get("/opt-outs/export.csv").text


def test_saved_texts_are_checked(app, client, send_form, get):
    page = read_page(send_form("/texts/new", name="Vœux", text="Bonjour\n{{ prenom }}"), 400)
    assert "Ligne 2" in page.find(id="text-error").text
    assert send_form("/texts/new", name="Vœux", text="Bonjour {{ contact.prenom }}").location == "/texts/"
    assert read_page(send_form("/texts/new", name="Vœux", text="x"), 400).find(id="name-error")
    send_form("/texts/1/delete", page="/texts/")
    factories.undo_is_over(app)
    with app.app_context():
        assert db.session.scalar(select(SavedText)) is None
    assert client.get("/texts/1/edit").status_code == 404
    token = csrf(client, "/texts/new")
    stale = client.post("/texts/1/edit", data={"csrf_token": token, "name": "Vœux", "text": "Belle année"})
    assert stale.location == "/texts/", "what was typed in a tab that stayed open is not lost"
    with app.app_context():
        assert db.session.scalar(select(SavedText.text)) == "Belle année"


def test_preferences_are_for_administrators_and_are_checked(app, send_form):
    fields = {"region": "Alsace-Moselle", "undo_seconds": "60", "countries": "fr, be", "stop_answer": ""}
    assert send_form("/preferences/", **fields).status_code == 302
    with app.app_context():
        found = preferences.current()
        assert (found.region, found.undo_seconds, found.countries) == ("Alsace-Moselle", 60, ("FR", "BE"))
        assert (found.landlines, found.default_country, found.preferred_countries) == (False, "FR", ())
    page = read_page(send_form("/preferences/", **fields | {"countries": "FR, QQ", "undo_seconds": "5"}), 400)
    assert page.find(id="countries-error")
    assert page.find(id="undo_seconds-error")
    countries = {"default_country": "be", "preferred_countries": "fr, lu", "landlines": "y"}
    assert send_form("/preferences/", **fields | countries).status_code == 302
    with app.app_context():
        found = preferences.current()
        assert (found.landlines, found.default_country, found.preferred_countries) == (True, "BE", ("FR", "LU"))
        assert phone_numbers.parse("0470 12 34 56") == "+32470123456"
        assert phone_numbers.parse("06 39 98 70 01") == "+33639987001"
    wrong = {"default_country": "Belgique", "preferred_countries": "QQ"}
    page = read_page(send_form("/preferences/", **fields | wrong), 400)
    assert page.find(id="default_country-error")
    assert page.find(id="preferred_countries-error")
    member = factories.signed_in(app, factories.user(app, "bob@example.org", Role.MEMBER))
    assert member.get("/preferences/").status_code == 403


def test_figures_by_day_and_numbers_where_nothing_arrives(app, client, phone, get):
    ids = [*post(app, phone, LEA), *post(app, phone, BOB), *post(app, phone, BOB, text="2")]
    with app.app_context(), db.engine.begin() as connection:
        for message_id, status in zip(ids, (Status.DELIVERED, Status.FAILED, Status.FAILED), strict=True):
            connection.exec_driver_sql(f"UPDATE messages SET status = '{status.value}' WHERE id = {message_id}")
            connection.exec_driver_sql(
                f"UPDATE message_events SET status = '{status.value}' WHERE message_id = {message_id}"
            )
    page = get("/statistics/")
    today = page.select(".chart-day")[-1]
    assert "3 envoyés, 0 reçu" in today["aria-label"].replace("\xa0", " ")
    assert len(today.select("rect[class^=bar]")) == 2
    assert "33,3" in page.text
    assert "1;0" in client.get("/statistics/statistics.csv").text
    assert "06 39 98 70 02" in get("/statistics/invalid-numbers").find("tbody").text.replace("\xa0", " ")
    assert BOB in client.get("/statistics/invalid-numbers.csv").text
    assert "Pas de données" in get("/statistics/?from=2020-01-01&to=2020-01-31").text


def test_what_people_wrote_is_shown_as_text(app, client, get):
    evil = "<script>alert(1)</script>"
    with app.app_context():
        contacts.save(None, None, evil, LEA, {"note": evil})
        groups.save(None, evil)
    for path in (
        "/contacts/",
        "/contacts/1",
        "/contacts/1/edit",
        "/groups/",
        "/contacts/pick?q=script",
        "/messages/new",
    ):
        assert evil not in client.get(path).text, path


def test_everybody_of_a_group_is_deleted_not_only_taken_out(app, send_form):
    with app.app_context():
        group_id = groups.save(None, "G").id
        for at in range(3):
            contacts.save(None, None, f"P{at}", f"06399871{at:02}", {}, group_ids=[group_id] if at else [])
    send_form("/contacts/bulk", page="/contacts/", verb="delete", group=str(group_id), all="1")
    factories.undo_is_over(app)
    assert people(app) == {"P0": "+33639987100"}


def test_nothing_of_an_erased_person_is_left_anywhere(app, phone, octopush, callbacks, run_jobs, client, send_form):
    with app.app_context():
        saved = contacts.save(None, None, "Léa Durand", LEA, {}).id
        db.session.remove()
    [sent] = post(app, phone, LEA, text="Madame Durand, votre dossier medical est prêt")
    run_jobs()
    ticket = factories.message(app, sent).submission.provider_id
    report = {"message_id": ticket, "number": LEA, "status": "DELIVERED"}
    reply = {"number": LEA, "text": "merci pour le dossier medical", "reception_date": "2026-11-25 10:00:00"}
    for _ in range(2):
        callbacks.http.post(callbacks.status, json=report)
        callbacks.http.post(callbacks.reception, json=reply)
    run_jobs()
    factories.until(lambda: len(octopush.callbacks.deliveries) >= 2)
    run_jobs()
    assert send_form(f"/contacts/{saved}/erase", page=f"/contacts/{saved}").status_code == 302
    callbacks.http.post(callbacks.status, json=report | {"status": "READ"})  # a late one
    run_jobs()
    left = {}
    with app.app_context():
        for table in sa_inspect(db.engine).get_table_names():
            if not table.startswith("message_words"):
                for row in db.session.execute(sa_text(f"SELECT * FROM {table}")):
                    words = " ".join(
                        one.decode(errors="replace") if isinstance(one, bytes) else str(one) for one in row
                    )
                    if "639987001" in words or "dossier medical" in words:
                        left.setdefault(table, []).append(words)
    assert left == {}


def test_a_deleted_sms_is_deleted_where_it_came_from_too(app, phone, callbacks, run_jobs, client):
    for words in ("mon secret", "mon secret", "autre chose"):
        body = {"number": LEA, "text": words, "reception_date": "2026-11-25 10:00:00"}
        callbacks.http.post(callbacks.reception, json=body)
    run_jobs()
    [secret] = [one for one in factories.all_messages(app) if one.text == "mon secret"]
    client.post(
        "/received/bulk", data={"csrf_token": csrf(client, "/received/"), "verb": "delete", "chosen": secret.id}
    )
    factories.undo_is_over(app)
    with app.app_context():
        assert [one.text for one in db.session.scalars(select(Message))] == ["autre chose"]
        assert not [one for one in db.session.scalars(select(JournalEntry.body)) if b"secret" in one]


def test_a_group_by_rows_and_by_hand_is_one_thing(app, client, send_form, get):
    with app.app_context():
        for name, number, town in (("Léa", LEA, "Lyon"), ("Bob", BOB, "Nice")):
            contacts.save(None, None, name, number, {"ville": town})
    path = "/groups/new?conditional=1"
    rows = {
        "name": "Du Sud",
        "as": "rows",
        "joint": "any",
        "subject": ["ville", "@name", ""],
        "how": ["is", "begins", "is"],
    }
    page = read_page(send_form(path, **rows, value=["Nice", "zo", ""], preview="1"))
    assert "1 contact : Bob" in page.find(class_="notice").text.replace("\xa0", " ").replace("\n", " ")
    counted = send_form(path, **rows, value=["Nice", "zo", ""], preview="1", fragment="1")
    assert "<html" not in counted.text
    assert "Bob" in counted.text
    there = send_form(path, **rows, value=["Nice", "zo", ""]).location
    assert "ville est Nice ou Nom du contact commence par zo" in get(there).select_one("ul.plain").get_text(
        " ", strip=True
    )
    page = get(f"{there}/edit")
    assert [one["value"] for one in page.select(".rule-row input")][:2] == ["Nice", "zo"]
    assert page.find(id="rule").text.strip() == (
        "lower(contact.ville) == lower('Nice') || lower(contact_metas.name) starts with lower('zo')"
    )
    # written by hand beyond rows, it stays so
    send_form(f"{there}/edit", name="Du Sud", **{"as": "written"}, rule="contact.ville == 'Nice'")
    page = get(f"{there}/edit")
    assert page.find(id="as-written").has_attr("checked")
    wrong = {"subject": ["ville"], "how": ["at_least"], "value": ["haut"]}
    page = read_page(send_form(path, name="X", **{"as": "rows"}, **wrong), 400)
    assert "Écrivez un nombre" in page.find(id="rows-error").text
    assert page.select_one(".rule-row input")["value"] == "haut"


def test_people_are_put_into_a_group_on_its_page(app, client, send_form, get):
    with app.app_context():
        for name, number in (("Léa Martin", LEA), ("Bob Martin", BOB), ("Zoé", "+33639987003")):
            contacts.save(None, None, name, number, {})
        group_id = groups.save(None, "Parents").id
    page = f"/groups/{group_id}"
    send_form(f"{page}/add", page=page, people="Zoé, 06 39 98 70 01; martin, Personne")
    shown = get(page)
    assert [one.text for one in shown.select(".people .name a")] == ["Léa Martin", "Zoé"]
    said = shown.text.replace("\xa0", " ")
    assert "« martin » peut être : Bob Martin" in said
    assert "« Personne » n’est pas dans vos contacts" in said
    send_form(f"{page}/people/3/take-out", page=page)
    shown = get(page)
    assert [one.text for one in shown.select(".people .name a")] == ["Léa Martin"]
    fields = {one["name"]: one["value"] for one in shown.select(".page-undo input")}
    client.post(shown.select_one(".page-undo form")["action"], data=fields)
    assert len(get(page).select(".people .name a")) == 2


def test_taking_out_of_a_group_is_taken_back_for_that_person_only(app, client, get):
    with app.app_context():
        club = groups.save(None, "Club").id
        anne = contacts.save(None, None, "Anne", LEA, {}, group_ids=[club]).id
        contacts.save(None, None, "Bruno", LEA, {})
    client.post(f"/groups/{club}/people/{anne}/take-out", data={"csrf_token": csrf(client, "/groups/")})
    offered = get(f"/groups/{club}").select_one("form[action$='/add']:has([name=contact])")
    fields = {one["name"]: one["value"] for one in offered.find_all("input")}
    client.post(offered["action"], data=fields)
    with app.app_context():
        assert [person.name for person in groups.members([club])] == ["Anne"]


def test_nothing_is_singular_in_french(client, get):
    assert get("/contacts/?q=personne").find(id="contacts").find(role="status").text.replace("\xa0", " ") == "0 contact"


def test_a_town_is_shown_however_it_is_called(app, get):
    with app.app_context():
        for key, town in (("Ville", "Lyon"), ("VILLE", "Nantes"), ("ville", "Brest")):
            contacts.save(None, None, town, LEA, {key: town})
    assert sorted(cell.text for cell in get("/contacts/").select("td.town")) == ["Brest", "Lyon", "Nantes"]


def test_who_was_ticked_before_is_meant_beside_all_of_a_search(app, client, phone):
    with app.app_context():
        for name in ("Anne Roux", "Bruno Roux", "Karim"):
            contacts.save(None, None, name, LEA, {})
    form = {"csrf_token": csrf(client, "/contacts/"), "q": "roux", "all": "1", "contact": ["3"], "verb": "write"}
    there = client.post("/contacts/bulk", data=form).location
    with app.app_context():
        assert sorted(db.session.get(Campaign, int(there.split("/")[2])).targets["contacts"]) == [1, 2, 3]


def test_without_a_phone_somebody_who_writes_is_told_what_to_do(app, client):
    with app.app_context():
        for name in ("Anne", "Bruno"):
            contacts.save(None, None, name, LEA, {})
    form = {"csrf_token": csrf(client, "/contacts/"), "contact": ["1", "2"], "verb": "write"}
    answer = client.post("/contacts/bulk", data=form, follow_redirects=True)
    assert "/phones/new" in read_page(answer).find("main").decode()
