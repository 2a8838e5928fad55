"""Lists of contacts and rules, with a script: nothing that was ticked or written is lost by looking further."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from raspisms import create_worker_app
from raspisms.blueprints.contacts import PAGE
from raspisms.campaigns import drafts, launch, review
from raspisms.campaigns.targets import Targets
from raspisms.clock import now
from raspisms.config import load
from raspisms.extensions import db
from raspisms.models import Group
from raspisms.people import contacts, groups
from tests.browser.conftest import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.tree]

RULE = "date(contact.fin) < date('24/12/2025') && exists(contact.ville)"


@pytest.fixture(scope="module")
def office(tree):
    tree.add_phone()
    with create_worker_app(load(tree.settings())).app_context():
        for n in range(PAGE + 5):
            contacts.save(None, None, f"Personne {n:02d}", f"+336399860{n:02d}", {"fin": "01/11/2025", "ville": "Lyon"})
        contacts.save(None, None, "Karim Roux", "+33639987041", {})
        tree.group_id = groups.save(None, "Partis", rule=RULE).id
    return tree


@pytest.fixture
def page(office, person):
    with person() as screen:
        yield sign_in(screen, office)


def test_what_is_ticked_stays_whatever_is_looked_at(page, office):
    page.goto(office.url + "/contacts/")
    chosen = page.locator("[data-chosen]")
    page.get_by_label("Cocher Karim Roux").check()
    page.get_by_label("Cocher Personne 01").check()
    expect(chosen).to_have_text("2 cochés")
    page.get_by_label("Chercher un nom ou un numéro").first.fill("personne")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Cocher Karim Roux")).to_have_count(0)
    expect(chosen).to_have_text("2 cochés")
    page.get_by_role("link", name="Suite").click()
    expect(page.get_by_label("Cocher Personne 54")).to_be_visible()
    expect(chosen).to_have_text("2 cochés")
    page.get_by_label("Cocher Personne 54").check()
    page.get_by_role("link", name="Modifié").click()
    expect(page.get_by_label("Cocher Personne 01")).to_be_checked()
    expect(chosen).to_have_text("3 cochés")
    page.get_by_label("contacts de cette recherche").check()
    expect(chosen).to_have_text(f"jusqu’à {PAGE + 6} cochés")
    exported = page.get_by_role("link", name="Exporter en CSV").get_attribute("href")
    assert "q=personne" in exported
    page.get_by_role("button", name="Tout décocher").click()
    expect(chosen).to_have_text("")
    expect(page.locator("tbody input:checked, [data-kept], [data-all]:checked")).to_have_count(0)


def test_a_rule_with_a_date_is_opened_and_saved_as_it_was(page, office):
    page.goto(f"{office.url}/groups/{office.group_id}/edit")
    expect(page.get_by_label("Valeur").first).to_have_value("2025-12-24")
    expect(page.get_by_text(f"{PAGE + 5} contacts :")).to_be_visible()
    page.get_by_role("button", name="Enregistrer le groupe").click()
    expect(page.get_by_text("Le groupe est enregistré.")).to_be_visible()
    with create_worker_app(load(office.settings())).app_context():
        assert db.session.get(Group, office.group_id).rule == RULE.replace("24/12/2025", "2025-12-24")


def test_what_could_not_be_sent_is_not_said_to_be_safe(page, office):
    page.goto(office.url + "/messages/new")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.get_by_role("textbox", name="À qui").fill("0639987001")
    page.get_by_label("Texte du SMS").fill("Bonjour")
    page.context.set_offline(True)
    page.on("requestfailed", lambda _request: None)
    page.get_by_role("button", name="Envoyer").click()
    page.wait_for_url("chrome-error://chromewebdata/")
    page.context.set_offline(False)
    assert [sms for sms in office.state()["messages"] if sms["number"] == "+33639987001"] == []


def test_what_is_asked_before_something_is_cancelled_is_in_view(page, office):
    page.set_viewport_size({"width": 390, "height": 844})
    with create_worker_app(load(office.settings())).app_context():
        chosen = Targets(numbers=[{"number": "+33639987041"}])
        draft = drafts.save(None, drafts.Wish(1, "Bonjour", chosen, starts_at=now() + timedelta(days=1)), None)
        draft_id = draft.id
        review.compute(draft_id)
        launch.send(draft_id, drafts.get(draft_id).revision, None, may_override=True)
    page.goto(f"{office.url}/campaigns/{draft_id}")
    page.get_by_text("Annuler l’envoi").click()
    answer = page.get_by_role("button", name="Annuler cet envoi")
    box = answer.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    answer.click()
    expect(page.get_by_text("Annulée").first).to_be_visible()
