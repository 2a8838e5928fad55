"""The phone form and list: what is asked, what is kept, what is never shown."""

import socket

import pytest
from bs4 import BeautifulSoup

from raspisms.adapters.octopush import adapter as octopush_adapter
from raspisms.extensions import db
from raspisms.models import Phone, PhoneStatus
from raspisms.phones.settings import values_of
from tests import factories
from tests.factories import KEY, LOGIN, csrf, fresh_phone, post, read_page

NEW = "/phones/new?adapter=octopush_virtual_number"


def submit(client, path=NEW, **changes):
    data = {"name": "Mairie", "login": LOGIN, "api_key": KEY, "number": "07 55 55 11 11", "sms_type": "sms_premium"}
    return client.post(path, data=data | {"csrf_token": csrf(client, path)} | changes)


def saved(app):
    with app.app_context():
        return [(phone.name, phone.number, phone.status) for phone in db.session.query(Phone)]


def test_the_way_to_the_form_is_the_guides(get):
    assert get("/phones/").find("a", string="Ajouter un téléphone")["href"] == "/phones/new"
    page = get("/phones/new")
    assert page.find("label", attrs={"for": "adapter"}).text == "Adaptateur logiciel du téléphone"
    assert [(o["value"], o.text) for o in page.find("select", id="adapter").find_all("option")] == [
        ("octopush_virtual_number", "Octopush Numéro Virtuel")
    ]


def test_the_form_has_the_guides_labels_and_its_advice(get):
    page = get(NEW)
    labels = [label.text for label in page.find("main").find_all("label")]
    guide = ["Nom", "Octopush Login", "API Key", "Numéro de téléphone virtuel", "Type de SMS à employer"]
    assert labels == [*guide, "Rythme des campagnes", "Numéro court de STOP"]
    assert "OVH" in page.text
    assert "Twilio" in page.text
    assert "SMS Flash n’est pas possible" in page.text


def test_a_phone_is_checked_and_saved(app, client, get):
    response = submit(client)
    assert response.status_code == 302
    assert saved(app) == [("Mairie", "+33755551111", PhoneStatus.AVAILABLE)]
    page = get("/phones/")
    row = page.find("tr", id="phone-1")
    for shown in ("Mairie", "07\xa055\xa055\xa011\xa011", "Octopush Numéro Virtuel", "Disponible", "10,00\xa0€"):
        assert shown in row.text
    labels = [label.text for label in row.select(".callback .label")]
    assert labels == ["Changement de status d’un SMS", "Réception d’un SMS"]
    urls = [code.text for code in row.select(".callback code")]
    assert urls[0].startswith("https://sms.example.org/callbacks/")
    assert urls[0].endswith("/status")
    assert urls[1].endswith("/reception")
    assert len(row.select(".callback button[data-copy]")) == 2


@pytest.mark.parametrize(
    "number", ["07 55 55 11 11", "+33 7 55 55 11 11", "0033755551111", "09 37 00 00 01", "0939123456"]
)
def test_numbers_are_taken_in_every_usual_form(app, client, number):
    assert submit(client, number=number).status_code == 302
    assert saved(app)[0][1].startswith("+33")


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"name": ""}, "name", "Donnez un nom"),
        ({"name": "x" * 61}, "name", "trop long"),
        ({"login": " "}, "login", "Remplissez ce champ."),
        ({"api_key": ""}, "api_key", "Remplissez ce champ."),
        ({"api_key": "clé\x00"}, "api_key", "caractère impossible"),
        ({"number": "bonjour"}, "number", "Ce n’est pas un numéro de téléphone."),
        ({"number": "36111"}, "number", "Ce n’est pas un numéro de téléphone."),
        ({"sms_type": "gold"}, "sms_type", "Choisissez une des valeurs proposées."),
    ],
)
def test_each_mistake_is_named_and_nothing_typed_is_lost(app, client, octopush, changes, field, sentence):
    page = read_page(submit(client, **changes), 400)
    assert sentence in page.find(id=f"{field}-error").text
    assert page.find(id=field)["aria-invalid"] == "true"
    for name, value in {"name": "Mairie", "login": LOGIN, "number": "07 55 55 11 11"}.items():
        if name not in changes:
            assert page.find(id=name)["value"] == value
    assert saved(app) == []


def test_a_typed_key_survives_an_error_without_being_shown(app, client):
    page = read_page(submit(client, name=""), 400)
    assert KEY not in str(page)
    assert "déjà saisie" in page.find(id="api_key")["placeholder"]
    kept = page.find(id="kept")["value"]
    assert submit(client, api_key="", kept=kept).status_code == 302
    with app.app_context():
        assert values_of(db.session.get(Phone, 1))["api_key"] == KEY


def test_a_name_is_unique_whatever_its_case(client, phone):
    page = read_page(submit(client, name="MAIRIE"), 400)
    assert "Ce nom est déjà utilisé pour un autre téléphone." in page.text


def test_wrong_credentials_are_told_and_not_saved(app, client):
    page = read_page(submit(client, api_key="wrong"), 400)
    assert "Octopush a refusé l’identifiant ou la clé." in page.find(id="api_key-error").text
    assert page.find("button", attrs={"name": "unverified"}) is None
    assert submit(client, api_key="wrong", unverified="1").status_code == 400
    assert saved(app) == []


@pytest.fixture
def unreachable(app):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        app.config["OCTOPUSH_URL"] = f"http://127.0.0.1:{closed.getsockname()[1]}"
        yield


def test_an_unreachable_provider_may_be_ignored_and_is_asked_later(app, client, octopush, unreachable, run_jobs):
    page = read_page(submit(client), 400)
    assert "injoignable" in page.find("div", role="alert").text
    assert page.find("button", attrs={"name": "unverified"}).text.strip() == "Enregistrer sans vérifier"
    assert saved(app) == []

    kept = page.find(id="kept")["value"]
    assert submit(client, api_key="", kept=kept, unverified="1").status_code == 302
    assert saved(app)[0][2] is PhoneStatus.UNVERIFIED
    assert "Non vérifié" in client.get("/phones/").text

    app.config["OCTOPUSH_URL"] = octopush.url
    factories.let_time_pass(app)
    factories.sweep(app)
    run_jobs()
    assert saved(app)[0][2] is PhoneStatus.AVAILABLE


def test_a_strange_answer_is_told_apart(app, client, sandbox_server):
    app.config["OCTOPUSH_URL"] = sandbox_server.url  # the handset page: no API at all
    page = read_page(submit(client), 400)
    assert "n’est pas celle d’Octopush" in page.find("div", role="alert").text


def test_a_slow_provider_is_not_waited_for_for_ever(app, client, monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        app.config["OCTOPUSH_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(octopush_adapter, "CHECK_READ_SECONDS", 0.2)
        assert "n’a pas répondu à temps" in read_page(submit(client), 400).text


def test_a_number_that_octopush_does_not_list_is_a_warning(app, client, octopush):
    octopush.account(LOGIN).numbers = ["+33699999999"]
    assert submit(client).status_code == 302
    assert saved(app)[0][2] is PhoneStatus.AVAILABLE
    assert "ne connaît pas ce numéro virtuel" in client.get("/phones/").text


def test_without_the_list_there_is_no_warning(client, octopush):
    octopush.switches.number_list = False
    assert submit(client).status_code == 302
    assert "ne connaît pas ce numéro virtuel" not in client.get("/phones/").text


def test_editing_never_shows_the_key_and_an_empty_one_keeps_it(app, client, phone, get):
    path = f"/phones/{phone.id}/edit"
    page = get(path)
    assert KEY not in str(page)
    assert page.find(id="login")["value"] == LOGIN
    assert not page.find(id="api_key").get("value")
    assert submit(client, path, name="Mairie annexe", api_key="").status_code == 302
    with app.app_context():
        changed = db.session.get(Phone, phone.id)
        assert changed.name == "Mairie annexe"
        assert values_of(changed)["api_key"] == KEY


def test_a_new_key_replaces_the_old_one_and_resumes_sending(app, client, phone, octopush, run_jobs):
    from raspisms.models import Status

    octopush.faults.append("401")
    [sent] = post(app, phone)
    run_jobs()
    assert fresh_phone(app, phone).status is PhoneStatus.UNAVAILABLE
    assert submit(client, f"/phones/{phone.id}/edit", api_key=KEY).status_code == 302
    run_jobs()
    assert factories.message(app, sent).status is Status.SENT


def test_secrets_are_encrypted_at_rest(app, phone):
    with app.app_context():
        row = db.session.execute(db.text("SELECT * FROM phones")).mappings().one()
        assert KEY not in str(dict(row))
        assert LOGIN not in str(dict(row))
        assert values_of(db.session.get(Phone, phone.id))["api_key"] == KEY


def test_renewing_the_addresses_asks_first(app, client, phone, get):
    before = get("/phones/").select(".callback code")[0].text
    page = get(f"/phones/{phone.id}/token")
    assert "cesseront aussitôt de fonctionner" in page.text
    assert get("/phones/").select(".callback code")[0].text == before
    token = csrf(client, f"/phones/{phone.id}/token")
    client.post(f"/phones/{phone.id}/token", data={"csrf_token": token})
    assert get("/phones/").select(".callback code")[0].text != before


def test_the_email_to_the_provider_is_ready(get, phone):
    urls = [code.text for code in get("/phones/").select(".callback code")]
    page = get(f"/phones/{phone.id}/email")
    assert all(url in page.find(id="email-body").text for url in urls)
    assert page.find("a", href=lambda href: href and href.startswith("mailto:support@octopush.com?"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "http://192.168.1.20:8001", "http://raspberrypi.local:8001"])
def test_no_email_is_proposed_with_an_address_that_the_provider_cannot_reach(app, get, phone, url):
    app.config["PUBLIC_URL"] = url
    page = get(f"/phones/{phone.id}/email")
    assert page.find(id="email-body") is None
    assert f"ne peut pas joindre {url}" in page.text
    assert not page.find_all("a", href=lambda href: href and href.startswith("mailto:"))


def test_disabling_and_enabling(app, client, phone):
    token = csrf(client, "/profile/")
    client.post(f"/phones/{phone.id}/disable", data={"csrf_token": token})
    assert fresh_phone(app, phone).status is PhoneStatus.DISABLED
    client.post(f"/phones/{phone.id}/enable", data={"csrf_token": token})
    assert fresh_phone(app, phone).status is PhoneStatus.AVAILABLE


def test_the_status_is_refreshed_at_a_persons_word(app, client, phone, octopush):
    octopush.account(LOGIN).credit = octopush.account(LOGIN).credit * 2
    answer = client.post(
        f"/phones/{phone.id}/check", data={"csrf_token": csrf(client, "/profile/")}, follow_redirects=True
    )
    assert "tout va bien" in answer.text
    assert "20,00\xa0€" in answer.text


def test_an_unknown_adapter_is_told(client):
    answer = client.get("/phones/new?adapter=ovh", follow_redirects=True)
    assert "Aucun adaptateur ne porte ce nom." in answer.text


def test_an_empty_list_says_what_to_do(get):
    page = get("/phones/")
    assert "Aucun téléphone pour le moment." in page.text


def test_the_sandbox_phone_is_plainly_marked(app, client):
    with app.app_context():
        factories.phone(name="Bac à sable", adapter="octopush_sandbox")
    page = BeautifulSoup(client.get("/phones/").text, "html5lib")
    assert "aucun SMS réel" in page.find("tr", id="phone-1").text


def test_a_pace_is_kept_shown_and_taken_away(app, client, get):
    submit(client, pace="600")
    assert "600 SMS par minute au plus" in get("/phones/1").text.replace("\xa0", " ")
    form = get("/phones/1/edit")
    assert form.find(id="pace")["value"] == "600"
    submit(client, "/phones/1/edit", pace="")
    assert "par minute" not in get("/phones/").find("table").text


@pytest.mark.parametrize("pace", ["0", "-1", "vite", "60001", "1,5", "٣"])
def test_an_impossible_pace_is_told_and_loses_nothing(app, client, pace):
    page = read_page(submit(client, pace=pace), 400)
    assert "Écrivez un nombre de 1 à 60 000" in page.find(id="pace-error").text.replace("\xa0", " ")
    assert page.find(id="pace")["value"] == pace
    assert page.find(id="pace").find_parent("details").has_attr("open")
    assert saved(app) == []


def test_a_provider_that_wants_us_slower_is_named_on_the_page(app, phone, octopush, run_jobs, get):
    octopush.faults.append("429")
    post(app, phone)
    run_jobs()
    row = get("/phones/").find("tr", id="phone-1").text
    assert "Prochain essai" in row
    assert "demande de ralentir" in row
    factories.let_time_pass(app)
    factories.ring(app)
    run_jobs()
    assert "Prochain essai" not in get("/phones/").text
