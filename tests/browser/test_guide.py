"""The seed's whole guide, as its reader follows it."""

import re

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import EMAIL, sign_in
from tests.factories import KEY, PASSWORD, until
from tests.tree import LOGIN

pytestmark = [pytest.mark.browser, pytest.mark.tree]


def test_the_whole_guide(tree, person):
    with person() as reader:
        page = sign_in(reader, tree)
        page.get_by_role("button", name="Déconnexion").click()
        page.get_by_label("Adresse e-mail").fill(EMAIL)
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Connexion").click()
        tree.cookies = reader.context.cookies()

        # 2. "Téléphones", "Ajouter un téléphone", "Adaptateur logiciel du téléphone"
        page.get_by_role("link", name="Téléphones").click()
        page.get_by_role("link", name="Ajouter un téléphone").click()
        page.get_by_label("Adaptateur logiciel du téléphone").select_option(label="Octopush Numéro Virtuel")
        page.get_by_role("button", name="Continuer").click()

        # 3. the name, the credentials (wrong at first), the number
        page.get_by_label("Nom").fill("Mairie")
        page.get_by_label("Octopush Login").fill(LOGIN)
        page.get_by_label("API Key").fill("a wrong key")
        page.get_by_label("Numéro de téléphone virtuel").fill("07 55 55 11 11")
        page.get_by_role("button", name="Vérifier et enregistrer").click()
        expect(page.get_by_text("Octopush a refusé l’identifiant ou la clé.").first).to_be_visible()
        expect(page.get_by_label("Octopush Login")).to_have_value(LOGIN)
        reader.check()
        page.get_by_label("API Key").fill(KEY)
        page.get_by_role("button", name="Vérifier et enregistrer").click()
        expect(page.get_by_text(re.compile("est prêt"))).to_be_visible()
        reader.check()

        # 4. the callbacks, copied for Octopush from the list of phones
        page.get_by_role("link", name="Téléphones").first.click()
        reader.check()
        urls = copied(reader, page, row=page.get_by_role("row").filter(has_text="Mairie"))
        register(tree, urls)

        # and now: send, follow, receive
        page.get_by_role("link", name="Nouveau SMS").click()
        page.get_by_label("Numéro à employer").select_option(label="Mairie (07 55 55 11 11)")
        page.get_by_role("textbox", name="À qui").fill("06 39 98 70 01")
        page.get_by_label("Texte du SMS").fill("Bonjour, la réunion est à 18 h.")
        expect(page.locator("#counter")).to_contain_text("31 caractères")
        reader.check()
        page.get_by_role("button", name="Envoyer", exact=True).click()
        expect(page.locator("#thread .state")).to_have_text("Délivré", timeout=20_000)  # by itself
        reader.check()

        tree.control("replies", login=LOGIN, number="+33639987001", to="+33755551111", text="Merci, j’y serai !")
        page.get_by_role("link", name="SMS reçus").first.click()
        expect(page.get_by_text("Merci, j’y serai !")).to_be_visible(timeout=20_000)  # by itself
        reader.check()
        page.get_by_role("link", name=re.compile("06.39.98.70.01")).first.click()
        page.get_by_role("textbox", name=re.compile("^Répondre")).fill("À demain !")
        page.get_by_role("button", name="Envoyer", exact=True).click()
        last = page.locator("#thread .bubble.ours").last
        expect(last).to_contain_text("À demain !")
        expect(last.locator(".state")).to_have_text("Délivré", timeout=20_000)
        reader.check()
        page.get_by_role("link", name="Tableau de bord").click()
        expect(page.locator(".tour li:not(.done)")).to_have_count(2)  # contacts and a colleague
        reader.check()
    assert [sms["text"] for sms in tree.accepted("+33639987001")] == ["Bonjour, la réunion est à 18 h.", "À demain !"]


def copied(reader, page, row):
    """The two addresses, by their buttons."""
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    found = {}
    for kind, label in (("reception", "Réception d’un SMS"), ("status", "Changement de status d’un SMS")):
        row.get_by_role("button", name=re.compile(f"Copier.*{label}")).click()
        expect(row.get_by_text("Copié")).to_be_visible()
        found[kind] = page.evaluate("navigator.clipboard.readText()")
        expect(row.get_by_text("Copié")).to_be_hidden(timeout=5_000)
    assert found["status"] != found["reception"]
    return found


def register(tree, urls):
    """What Octopush does with the e-mail."""
    assert all(requests.post(url, data=b"", timeout=5).status_code == 200 for url in urls.values())
    tree.register(urls)


def test_without_javascript_everything_can_still_be_done(tree, person):
    with person(javascript=False) as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/messages/new")
        page.locator("#phone").select_option(index=0)
        page.locator("#to").fill("06 39 98 70 77")
        page.locator("#text").fill("Sans JavaScript")
        page.locator("#compose .send-bar > button").click()
        expect(page.locator("#thread")).to_contain_text("Sans JavaScript")
    until(lambda: len(tree.accepted("+33639987077")) == 1, what="the SMS at the provider")


def test_two_clicks_send_once(tree, person):
    with person() as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/messages/new")
        page.get_by_role("textbox", name="À qui").fill("06 39 98 70 88")
        page.get_by_label("Texte du SMS").fill("Une seule fois")
        page.locator("#compose .send-bar > button").dblclick()
        expect(page.locator("#thread .state")).to_have_text("Délivré", timeout=20_000)
    assert len(tree.accepted("+33639987088")) == 1


def test_a_person_answers_from_the_handset_page(tree, person):
    with person() as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/messages/new")
        page.get_by_label("Numéro à employer").select_option(label="Bac à sable (06 39 98 99 99)")
        page.get_by_role("textbox", name="À qui").fill("06 39 98 70 55")
        page.get_by_label("Texte du SMS").fill("Qui est là ?")
        page.get_by_role("button", name="Envoyer", exact=True).click()
        expect(page.locator("#thread .state")).to_have_text("Délivré", timeout=20_000)
        page.goto(tree.sandbox)
        thread = page.locator(".thread").filter(has_text="Qui est là ?")
        thread.get_by_label("Répondre depuis ce téléphone").fill("C’est moi")
        thread.get_by_role("button", name="Envoyer").click()
        page.goto(tree.url + "/received/")
        expect(page.get_by_text("C’est moi")).to_be_visible(timeout=20_000)
