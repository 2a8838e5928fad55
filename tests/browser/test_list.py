"""A list as an office has it, from the file to exactly the right telephones."""

import pytest
from playwright.sync_api import expect

from tests import workbooks
from tests.browser.conftest import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.tree]

NOTE = [["Ce classeur contient la liste des familles."], ["Mise à jour : septembre"]]
FAMILIES = [
    ["École Jules-Ferry : liste des familles", "", "", "", "", ""],
    ["", "", "", "", "", ""],
    ["Nom", "Prénom", "Mobile élève", "Tél. parent", "Accord SMS", "Ville"],
    # Written to at the parent's number, once somebody said so.
    ["Martin", "Léa", "06 39 98 71 01", "06 39 98 71 11", "oui", "Lyon"],
    ["Durand", "Bob", "", "06 39 98 71 12", "x", "Lyon"],
    # No agreement, a landline, a number that is none.
    ["Petit", "Zoé", "06 39 98 71 03", "06 39 98 71 13", "non", "Nice"],
    ["Leroy", "Max", "06 39 98 71 04", "01 99 00 10 04", "oui", "Nice"],
    ["Roux", "Ida", "", "06 39 98", "oui", "Nice"],
]
PARENTS = ["+33639987111", "+33639987112", "+33639987113"]


def test_a_list_with_a_title_two_sheets_landlines_and_consent(tree, person, tmp_path):
    path = tmp_path / "familles.xlsx"
    workbooks.write(path, **{"Lisez-moi": NOTE, "Familles": FAMILIES})
    tree.add_phone()
    tree.control("credit", login="mairie@example.org", credit=1000)
    with person() as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/imports/new")
        page.get_by_label("Choisir le fichier").set_input_files(path)
        page.get_by_role("button", name="Lire la liste").click()

        # What was understood: the right sheet, the titles below the title, the pupil's own mobile first.
        expect(page.get_by_text("La feuille « Familles » est lue")).to_be_visible(timeout=30_000)
        expect(page.get_by_role("link", name="Nouveaux (4)")).to_be_visible()
        expect(page.get_by_role("link", name="À corriger (1)")).to_be_visible()
        expect(page.get_by_text("Les colonnes, comme elles ont été comprises")).to_be_visible()
        expect(page.get_by_label("Ligne des titres")).to_have_value("3")
        expect(page.get_by_label("Ce qu’est la colonne Accord SMS")).to_have_value("consent")
        reader.check()

        # Somebody knows better: the school writes to parents.
        page.get_by_label("Ce qu’est la colonne Mobile élève").select_option("left_out")
        page.get_by_role("button", name="Relire ainsi").click()
        expect(page.get_by_role("link", name="Nouveaux (3)")).to_be_visible(timeout=30_000)
        expect(page.get_by_role("link", name="Laissés de côté (1)")).to_be_visible()
        page.get_by_role("link", name="Laissés de côté (1)").click()
        expect(page.get_by_text("Un numéro fixe ne reçoit pas de SMS.")).to_be_visible()
        reader.check()
        page.get_by_role("button", name="Importer 3 contacts").click()
        expect(page.get_by_text("L’import est fait.")).to_be_visible(timeout=30_000)

        page.goto(tree.url + "/groups/new?conditional=1")
        page.get_by_label("Nom du groupe").fill("Familles")
        page.get_by_text("Condition écrite").click()
        page.get_by_label("Condition", exact=True).fill("exists(contact.ville)")
        page.get_by_role("button", name="Enregistrer le groupe").click()
        group = page.url

        # An advertisement is for those who agreed.
        write(page, "Grande fête samedi, venez nombreux ! STOP au 36180", "une publicité")
        page.get_by_role("link", name="Sans accord pour la publicité (1)").click(timeout=30_000)
        expect(page.get_by_text("Zoé Petit")).to_be_visible()

        # What everybody must know reaches everybody with a mobile, at the number that was meant, once.
        page.goto(group)
        write(page, "L’école est fermée demain.", "une information")
        page.get_by_role("button", name="Envoyer à 3 personnes").click()
        expect(page.get_by_role("link", name="Délivré (3)")).to_be_visible(timeout=60_000)
    sent = [sms["number"] for sms in tree.state()["messages"] if not sms["incoming"]]
    assert sorted(sent) == PARENTS


def write(page, text, purpose):
    """Write to the group whose page it is, up to the review."""
    page.get_by_role("link", name="Écrire à 3 contacts").click()
    page.get_by_label("Texte du SMS").fill(text)
    page.get_by_label(purpose).check()
    page.get_by_role("button", name="Voir le compte rendu").click()
