"""Two colleagues, one person: what one does, the other sees, and nobody answers twice by accident."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from raspisms import create_worker_app
from raspisms.clock import now
from raspisms.config import load
from raspisms.extensions import db
from raspisms.models import Message, Phone, SavedText
from raspisms.receiving import incoming
from raspisms.storage.transactions import transaction
from tests.browser.conftest import sign_in
from tests.factories import PASSWORD, until
from tests.tree import LOGIN, NUMBER

pytestmark = [pytest.mark.browser, pytest.mark.tree]

ZOE = "+33639987001"
COLLEAGUE = "bob@exemple.fr"


@pytest.fixture(scope="module")
def team(tree, chromium):
    """An installation with a phone."""
    tree.add_phone()
    tree.colleague = None
    return tree


def add_colleague(tree):
    """A second person who may sign in; the first one must be there already."""
    if tree.colleague is None:
        tree.colleague = COLLEAGUE
        subprocess.run(
            [sys.executable, "-m", "raspisms", "user", "add", COLLEAGUE, "--password-stdin"],
            env=tree.environ,
            input=PASSWORD,
            text=True,
            check=True,
            capture_output=True,
            timeout=60,
        )


def as_colleague(person, tree):
    add_colleague(tree)
    page = person.open("/login")
    page.get_by_label("Adresse e-mail").fill(COLLEAGUE)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Connexion").click()
    page.wait_for_url(re.compile("/$"))
    return page


def replies(tree, text, number=ZOE):
    tree.control("replies", login=LOGIN, number=number, to=NUMBER, text=text)


def sent_to(tree, number):
    return [sms["text"] for sms in tree.accepted(number)]


def streams(page):
    """Whether the page is told what changes, rather than asking."""
    return until(lambda: page.evaluate("streaming"), what="an open stream")


def open_conversation(page, tree, name="06 39 98 70 01"):
    page.goto(tree.url + "/conversations/")
    page.get_by_role("link", name=re.compile(name.replace(" ", "."))).click()
    page.wait_for_url(re.compile(r"/conversations/\d+"))
    return page


def test_two_people_in_one_conversation(team, person):
    with person() as alice_screen, person(width=390) as bob_screen:
        alice = sign_in(alice_screen, team)
        bob = as_colleague(bob_screen, team)
        alice.goto(team.url + "/conversations/")
        streams(alice)

        # somebody writes: it shows by itself, in the list, the title and the badge
        replies(team, "Bonjour, la salle est-elle libre samedi ?")
        expect(alice.get_by_text("la salle est-elle libre samedi")).to_be_visible(timeout=20_000)
        expect(alice).to_have_title(re.compile(r"^\(\d+\) "), timeout=10_000)
        expect(alice.locator("[data-unread-badge]")).to_be_visible()
        alice_screen.check()

        open_conversation(alice, team)
        open_conversation(bob, team)
        streams(alice)
        streams(bob)

        # Bob types: Alice sees that he does
        bob.get_by_role("textbox", name=re.compile("^Répondre")).type("Oui, elle")
        expect(alice.get_by_text("bob répond…")).to_be_visible(timeout=10_000)
        alice.get_by_role("textbox", name=re.compile("^Répondre")).fill("Non, elle est prise.")
        bob.get_by_role("textbox", name=re.compile("^Répondre")).fill("Oui, elle est libre.")
        bob.get_by_role("button", name="Envoyer", exact=True).click()
        expect(bob.get_by_role("button", name="Annuler l’envoi")).to_be_visible()

        # his answer appears on her screen without a reload; sending hers asks first, and loses nothing
        expect(alice.locator("#thread").get_by_text("Oui, elle est libre.")).to_be_visible(timeout=10_000)
        alice.get_by_role("button", name="Envoyer", exact=True).click()
        expect(alice.get_by_text("bob a répondu entre-temps.")).to_be_visible()
        expect(alice.get_by_role("textbox", name=re.compile("^Répondre"))).to_have_value("Non, elle est prise.")
        alice_screen.check()
        alice.get_by_role("textbox", name=re.compile("^Répondre")).fill("Je vous ouvre à 9 h.")
        alice.get_by_role("button", name="Envoyer quand même").click()
        until(lambda: len(sent_to(team, ZOE)) == 2, 40, "both answers at the provider")
        expect(bob.locator("#thread").get_by_text("Je vous ouvre à 9 h.")).to_be_visible(timeout=10_000)
        expect(bob.locator("#thread .bubble.ours").last.get_by_text("Délivré")).to_be_visible(timeout=20_000)
        bob_screen.check()
    assert sent_to(team, ZOE) == ["Oui, elle est libre.", "Je vous ouvre à 9 h."]


def test_an_answer_can_be_called_back_and_is_a_draft_again(team, person):
    number = "+33639987005"
    replies(team, "Allô ?", number)
    with person() as screen:
        page = sign_in(screen, team)
        until(lambda: "98 70 05" in page.goto(team.url + "/conversations/").text().replace("\xa0", " "))
        open_conversation(page, team, "06 39 98 70 05")
        page.get_by_role("textbox", name=re.compile("^Répondre")).fill("Bonjour !")
        page.get_by_role("button", name="Envoyer", exact=True).click()
        page.get_by_role("button", name="Annuler l’envoi").click()
        expect(page.get_by_text("L’envoi est annulé.")).to_be_visible()
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_have_value("Bonjour !")
        # the draft is there after a reload too, and for nobody else
        page.reload()
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_have_value("Bonjour !")
        page.get_by_role("button", name="Envoyer", exact=True).click()
        until(lambda: sent_to(team, number) == ["Bonjour !"], 40, "the answer, once")


def test_labels_notes_and_who_looks_after_it(team, person):
    number = "+33639987006"
    replies(team, "Une autre personne", "+33639987016")
    replies(team, "Je cherche la mairie", number)
    with person(width=1440) as screen:
        page = sign_in(screen, team)
        until(lambda: "98 70 06" in page.goto(team.url + "/conversations/").text().replace("\xa0", " "))
        open_conversation(page, team, "06 39 98 70 06")
        page.get_by_label("Étiquette", exact=True).fill("accueil")
        page.get_by_role("button", name="Ajouter l’étiquette").click()
        expect(page.locator(".chips")).to_contain_text("accueil")
        page.keyboard.press("n")
        page.get_by_role("textbox", name="Note interne").fill("Déjà venue hier")
        page.get_by_role("button", name="Ajouter la note").click()
        expect(page.locator("#thread")).to_contain_text("Déjà venue hier")
        add_colleague(team)
        page.reload()
        page.get_by_label("Qui s’en occupe").select_option(label="bob")
        page.get_by_role("button", name="Confier").click()
        expect(page.locator(".conversations .here")).to_contain_text("bob")
        page.get_by_role("button", name="Je m’en occupe").click()
        expect(page.get_by_role("button", name="Je m’en occupe")).to_have_count(0)
        screen.check()
        # the keyboard: r answers, e closes, / searches (what is closed, too), j and k go from one to the next
        page.locator("h1").click()
        page.keyboard.press("r")
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_be_focused()
        page.keyboard.press("Escape")
        page.keyboard.press("e")
        expect(page.get_by_role("button", name="Rouvrir")).to_be_visible()
        page.keyboard.press("/")
        expect(page.locator("#q")).to_be_focused()
        page.keyboard.type("mairie")
        page.keyboard.press("Enter")
        expect(page.locator("mark")).to_have_text("mairie")
        page.goto(team.url + "/conversations/?view=all")
        page.locator("h1").click()
        page.keyboard.press("j")
        first = page.evaluate("document.activeElement.href")
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.href") != first
        page.keyboard.press("k")
        assert page.evaluate("document.activeElement.href") == first
    assert sent_to(team, number) == []


def test_a_lost_connection_says_so_and_catches_up(team, person):
    number = "+33639987007"
    replies(team, "Premier", number)
    with person() as screen:
        page = sign_in(screen, team)
        until(lambda: "98 70 07" in page.goto(team.url + "/conversations/").text().replace("\xa0", " "))
        open_conversation(page, team, "06 39 98 70 07")
        streams(page)
        screen.context.set_offline(True)
        expect(page.get_by_text("La connexion est perdue.")).to_be_visible(timeout=20_000)
        for stored, text in enumerate(("Deuxième", "Troisième"), start=2):
            replies(team, text, number)  # one after the other: the provider keeps no order
            until(lambda expected=stored: count_received(team, number) == expected, what=f"{text} in the database")
        screen.complaints.clear()  # the browser complains of the network, as it should
        screen.context.set_offline(False)
        expect(page.locator("#thread .bubble")).to_have_count(3, timeout=40_000)
        expect(page.get_by_text("La connexion est perdue.")).to_have_count(0)
        assert [one.strip() for one in page.locator("#thread .words").all_inner_texts()] == [
            "Premier",
            "Deuxième",
            "Troisième",
        ]
        screen.complaints.clear()


def count_received(tree, number):
    with create_worker_app(load(tree.settings())).app_context():
        return db.session.query(Message).filter_by(number=number).count()


def test_earlier_messages_come_on_demand_and_stay(team, person):
    number = "+33639987008"
    with create_worker_app(load(team.settings())).app_context():
        phone = db.session.query(Phone).filter_by(name="Mairie").one()
        with transaction() as session:
            for count in range(45):
                incoming.store(session, phone, number, f"numéro {count}.", now())
    with person() as screen:
        page = sign_in(screen, team)
        page.goto(team.url + "/conversations/with?number=%2B33639987008")
        expect(page.locator("#thread .bubble")).to_have_count(40)
        page.get_by_role("link", name="Messages plus anciens").click()
        expect(page.locator("#older .bubble")).to_have_count(5)
        replies(team, "numéro 45.", number)
        expect(page.locator("#thread").get_by_text("numéro 45.")).to_be_visible(timeout=20_000)
        texts = page.locator(".thread .bubble .words").all_inner_texts()
        assert [text.strip() for text in texts] == [f"numéro {count}." for count in range(46)]
        screen.check()


@pytest.mark.parametrize("width", [1280, 390])
def test_after_sending_the_last_bubble_its_undo_and_the_composer_are_in_view(team, person, width):
    number = f"+3363998{width + 6000}"
    with create_worker_app(load(team.settings())).app_context():
        phone = db.session.query(Phone).filter_by(name="Mairie").one()
        with transaction() as session:
            for count in range(30):
                incoming.store(session, phone, number, f"Une longue histoire, suite {count}.", now())
    with person(width=width) as screen:
        page = sign_in(screen, team)
        page.goto(team.url + "/conversations/with?number=" + number.replace("+", "%2B"))
        expect(page.locator("#thread").get_by_text("Une longue histoire, suite 29.")).to_be_in_viewport(ratio=1)
        page.get_by_role("textbox", name=re.compile("^Répondre")).fill("Bien reçu.")
        page.keyboard.press("Control+Enter")
        undo = page.get_by_role("button", name="Annuler l’envoi")
        expect(undo).to_be_in_viewport(ratio=1)
        expect(page.locator("#thread .bubble").last).to_be_in_viewport(ratio=1)
        expect(page.locator("#thread .bubble").last).to_contain_text("Bien reçu.")
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="Envoyer", exact=True)).to_be_in_viewport(ratio=1)
        assert int(page.locator("[data-countdown]").inner_text().split()[0]) > 0
        assert page.evaluate("document.scrollingElement.scrollHeight <= innerHeight")  # each pane scrolls, no page
        undo.click()
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_have_value("Bien reçu.")
        screen.check()
    assert sent_to(team, number) == []


def test_texts_notes_and_decisions_are_where_one_writes(team, person):
    number = "+33639987010"
    with create_worker_app(load(team.settings())).app_context(), transaction() as session:
        session.add(SavedText(name="Horaires", text="Nous ouvrons à 9 h."))
        session.add(SavedText(name="Adresse", text="12 rue des Lilas."))
    replies(team, "merci d'arrêter ces messages svp", number)
    with person() as screen:
        page = sign_in(screen, team)
        until(lambda: "98 70 10" in page.goto(team.url + "/conversations/").text().replace("\xa0", " "))
        open_conversation(page, team, "06 39 98 70 10")
        # "/" opens the texts, letters narrow them down, Enter puts one in
        page.keyboard.press("r")
        page.keyboard.press("/")
        page.keyboard.type("adr")
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_have_value("12 rue des Lilas.")
        expect(page.locator("#parts")).to_contain_text("1 SMS")
        # a note beside the answer, which stays
        page.get_by_text("Note interne", exact=True).first.click()
        page.get_by_role("textbox", name="Note interne").fill("Voir avec le service jeunesse.")
        page.get_by_role("button", name="Ajouter la note").click()
        expect(page.locator("#thread").get_by_text("Voir avec le service jeunesse.")).to_be_visible()
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_have_value("12 rue des Lilas.")
        # the search finds the note
        page.goto(team.url + "/conversations/?q=jeunesse")
        expect(page.locator(".conversations mark")).to_have_text("jeunesse")
        page.locator(".conversations a").click()
        # the person may have asked to stop: decided here, and then there is no composer but the reason
        page.get_by_role("button", name="Ne plus lui écrire").click()
        expect(page.get_by_text("On ne peut plus lui écrire.")).to_be_visible()
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_have_count(0)
        expect(page.get_by_role("textbox", name="Note interne")).to_be_visible()
        screen.check()


def test_conversations_work_without_a_script(team, person):
    number = "+33639987009"
    replies(team, "Sans script ?", number)
    with person(javascript=False) as screen:
        page = sign_in(screen, team)
        until(lambda: "98 70 09" in page.goto(team.url + "/conversations/").text().replace("\xa0", " "))
        open_conversation(page, team, "06 39 98 70 09")
        page.get_by_role("textbox", name=re.compile("^Répondre")).fill("Plus tard")
        page.get_by_role("button", name="Garder le brouillon").click()
        expect(page.get_by_role("textbox", name=re.compile("^Répondre"))).to_have_value("Plus tard")
        page.get_by_role("textbox", name=re.compile("^Répondre")).fill("Oui, sans script.")
        page.get_by_role("button", name="Envoyer", exact=True).click()
        page.get_by_role("button", name="Annuler l’envoi").click()
        page.get_by_role("button", name="Envoyer", exact=True).click()
        until(lambda: sent_to(team, number) == ["Oui, sans script."], 40, "the answer, once")
        page.get_by_role("button", name="Fermer").click()
        page.get_by_role("button", name="Rouvrir").click()
        expect(page.get_by_role("button", name="Fermer")).to_be_visible()


def test_nothing_is_left_of_a_script_in_a_text(team, person):
    number = "+33639987003"
    evil = "<img src=x onerror=alert(1)> \u202eabc https://exemple.fr/?a=<b> =1+1"
    replies(team, evil, number)
    with person() as screen:
        page = sign_in(screen, team)
        until(lambda: "98 70 03" in page.goto(team.url + "/conversations/").text().replace("\xa0", " "))
        for path in ("/conversations/?q=img", "/received/?q=abc", "/", "/conversations/with?number=%2B33639987003"):
            page.goto(team.url + path)
            assert page.locator("main img").count() == 0
            screen.check()
        assert page.locator("#thread .words").inner_text() == evil
        link = page.locator("#thread .words a")
        assert link.get_attribute("href") == "https://exemple.fr/?a="
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"


def test_everybody_chooses_their_own_notices(team, person):
    with person() as screen:
        page = sign_in(screen, team)
        page.goto(team.url + "/profile/")
        # There is no server for e-mails here: the choices say so, instead of doing nothing.
        expect(page.get_by_label("En dehors des heures d’ouverture (astreinte)")).to_be_disabled()
        expect(page.get_by_text("RaspiSMS ne peut pas encore envoyer d’e-mails")).to_be_visible()
        page.get_by_label("Son à la réception d’un SMS").check()
        page.reload()
        expect(page.get_by_label("Son à la réception d’un SMS")).to_be_checked()
        screen.check()


def test_the_desk_can_be_installed_and_says_when_it_is_offline(team, person):
    with person(width=390) as screen:
        page = sign_in(screen, team)
        manifest = page.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then((one) => one.json())")
        assert manifest["display"] == "standalone"
        for one in manifest["icons"]:
            assert page.request.get(team.url + one["src"]).ok
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        until(lambda: page.reload() and page.evaluate("Boolean(navigator.serviceWorker.controller)"), what="the worker")
        screen.context.set_offline(True)
        page.goto(team.url + "/contacts/")
        expect(page.get_by_text("Pas de réseau")).to_be_visible()
        screen.complaints.clear()
        screen.context.set_offline(False)
        page.get_by_role("link", name="Réessayer").click()
        expect(page.locator("h1")).to_be_visible()
        # signing out is two taps away
        page.goto(team.url + "/")
        page.get_by_role("link", name="Plus", exact=True).click()
        expect(page.get_by_role("button", name="Déconnexion").last).to_be_visible()
