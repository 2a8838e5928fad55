"""The whole way, as a team goes it: from an Excel file with faults to a campaign that leaves out who said STOP."""

import re

import pytest
from playwright.sync_api import expect

from tests import workbooks
from tests.browser.conftest import sign_in
from tests.factories import until

pytestmark = [pytest.mark.browser, pytest.mark.tree]

PEOPLE, FAULTY = 1000, 30
GROUPED = (PEOPLE - FAULTY) // 2
NUMBER = "+336110{:05}"


@pytest.fixture(scope="module")
def list_of_people(tmp_path_factory):
    """A thousand people, every other one a woman; thirty numbers that are none."""
    path = tmp_path_factory.mktemp("lists") / "inscrits.xlsx"
    rows = [("Nom", "Prénom", "Portable", "Genre", "Ville")]
    for at in range(PEOPLE):
        number = NUMBER.format(20000 + at) if at >= FAULTY else f"0{at}"
        rows.append((f"Martin{at}", "Zoé" if at % 2 else "Noé", number, "F" if at % 2 else "M", "Lyon"))
    workbooks.write(path, Liste=rows)
    return path


def test_from_a_list_to_a_finished_campaign_and_the_next_without_who_said_stop(tree, person, list_of_people):
    tree.add_phone()
    tree.control("credit", login="mairie@example.org", credit=1000)
    with person() as reader:
        page = sign_in(reader, tree)

        # The list: read, shown, one line corrected, applied.
        page.goto(tree.url + "/imports/new")
        page.get_by_label("Choisir le fichier").set_input_files(list_of_people)
        page.get_by_role("button", name="Lire la liste").click()
        expect(page.get_by_role("link", name=f"À corriger ({FAULTY})")).to_be_visible(timeout=30_000)
        reader.check()
        page.get_by_label("Numéro de la ligne 2", exact=True).fill("06 39 98 70 77")
        page.get_by_role("button", name="Corriger ces lignes").click()
        expect(page.get_by_role("link", name=f"À corriger ({FAULTY - 1})")).to_be_visible()
        page.get_by_role("button", name=f"Importer {PEOPLE - FAULTY + 1} contacts").click()
        expect(page.get_by_text("L’import est fait.")).to_be_visible(timeout=30_000)

        # Search as one types.
        page.goto(tree.url + "/contacts/")
        page.get_by_label("Chercher un nom ou un numéro").fill("zoe martin319")
        expect(page.locator("#contacts tbody tr")).to_have_count(1)
        reader.check()

        # Half of them, by a rule that is shown first.
        page.goto(tree.url + "/groups/new?conditional=1")
        page.get_by_label("Nom du groupe").fill("Femmes")
        page.get_by_label("Donnée").first.select_option("Genre")
        page.get_by_label("Valeur").first.fill("f")
        expect(page.locator("#who")).to_contain_text(f"{GROUPED} contacts", timeout=15_000)  # while one types
        reader.check()
        page.get_by_text("Condition écrite").click()
        page.get_by_label("Condition", exact=True).fill("contact.Genre == ")
        page.get_by_role("button", name="Prévisualiser les contacts").click()
        expect(page.locator("#rule-error")).to_contain_text("Au caractère")
        page.get_by_label("Condition", exact=True).fill("contact.Genre == 'F' && exists(contact.Ville)")
        page.get_by_role("button", name="Prévisualiser les contacts").click()
        expect(page.locator(".notice.delivered")).to_contain_text(f"{GROUPED} contacts")
        page.get_by_role("button", name="Enregistrer le groupe").click()
        page.get_by_role("link", name=f"Écrire à {GROUPED} contacts").click()

        # The text: a civility by gender, and a ç that makes it cost twice.
        text = (
            "Bonjour {{ contact.Genre == 'F' ? 'Madame' : 'Monsieur' }}, "
            + "réunion ce soir à 20 h. " * 3
            + "Ça va ? Reçu"
        )
        page.get_by_label("Numéro à employer").select_option(label="Mairie (07 55 55 11 11)")
        page.get_by_label("Texte du SMS").fill(text)
        expect(page.locator("#preview-text")).to_contain_text("Bonjour Madame")
        expect(page.locator("#marked mark")).to_have_text(["ç"])
        expect(page.locator("#coach-cost")).to_contain_text("2 SMS au lieu de 1")
        page.get_by_role("button", name="Réécrire ces caractères").click()
        expect(page.get_by_label("Texte du SMS")).to_have_value(text.replace("ç", "c"))
        expect(page.locator("#coach")).to_be_hidden()
        page.get_by_label("une information").check()
        reader.check()
        page.get_by_role("button", name="Voir le compte rendu").click()

        # The report: nothing leaves before it was read.
        send = page.get_by_role("button", name=f"Envoyer à {GROUPED} personnes")
        expect(send).to_be_visible(timeout=30_000)
        expect(page.locator(".list tbody tr").first).to_contain_text("Bonjour Madame")
        reader.check()
        assert tree.state()["messages"] == []
        send.click()
        expect(page.get_by_role("button", name="Annuler l’envoi")).to_be_visible()
        expect(page.get_by_role("link", name=f"Délivré ({GROUPED})")).to_be_visible(timeout=60_000)
        reader.check()
        assert len(tree.state()["messages"]) == GROUPED

        # Somebody says STOP; the next campaign leaves them out, and says so.
        quiet = tree.state()["messages"][0]["number"]
        tree.control("replies", login="mairie@example.org", number=quiet, to="+33755551111", text="STOP")
        until(lambda: quiet[-4:] in page_text(reader, "/opt-outs/"), what="the opt-out")
        page.goto(tree.url + "/campaigns/")
        page.locator(".campaigns .name a").click()
        page.get_by_role("button", name="Dupliquer").click()
        page.get_by_role("button", name="Voir le compte rendu").click()
        expect(page.get_by_role("button", name=f"Envoyer à {GROUPED - 1} personnes")).to_be_visible(timeout=30_000)
        page.get_by_role("link", name=re.compile("A envoyé STOP")).click()
        expect(page.locator(".list tbody tr")).to_have_count(1)
        page.get_by_role("button", name=f"Envoyer à {GROUPED - 1} personnes").click()
        expect(page.get_by_role("link", name=f"Délivré ({GROUPED - 1})")).to_be_visible(timeout=60_000)
        again = [sms for sms in tree.state()["messages"] if sms["number"] == quiet and not sms["incoming"]]
        assert len(again) == 1


def page_text(reader, path):
    return re.sub(r"\s", "", reader.open(path).inner_text("main"))
