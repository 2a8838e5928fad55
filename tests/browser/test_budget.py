"""The jobs that a desk does all day, by their clicks: counted, not timed, on a wide window and on a telephone."""

import re

import pytest
from playwright.sync_api import expect

from raspisms import create_worker_app
from raspisms.config import load
from raspisms.people import contacts, groups
from tests.browser.conftest import sign_in
from tests.factories import until
from tests.tree import LOGIN, NUMBER

pytestmark = [pytest.mark.browser, pytest.mark.tree]

SIZES = [(1280, 800), (390, 844)]
REACHED, UNREACHABLE, WRITER = "+33639987041", "+33639980136", "+33639987042"


class Hand:
    """Somebody who clicks, and counts."""

    def __init__(self, page):
        self.page, self.clicks = page, 0

    def click(self, target):
        expect(target).to_be_in_viewport()  # nobody has to look for it
        target.click()
        self.clicks += 1


@pytest.fixture(scope="module")
def office(tree):
    tree.add_phone()
    with create_worker_app(load(tree.settings())).app_context():
        inside = groups.save(None, "Chorale").id
        contacts.save(None, None, "Inès Roux", REACHED, {}, group_ids=[inside])
        contacts.save(None, None, "Paul Lefèvre", UNREACHABLE, {})
        contacts.save(None, None, "Zoé Martin", WRITER, {}, group_ids=[inside])
    [failed] = tree.send(UNREACHABLE, text="Votre colis est arrivé")
    tree.await_status(failed, "failed")
    return tree


@pytest.fixture(params=SIZES, ids=["wide", "telephone"])
def desk(request, office, person):
    width, height = request.param
    with person(width=width) as screen:
        page = sign_in(screen, office)
        page.set_viewport_size({"width": width, "height": height})
        yield page


def dashboard(page, tree):
    page.goto(tree.url + "/")
    skip = page.get_by_role("button", name="Ne plus montrer les premiers pas")
    if skip.count():
        skip.click()
    return Hand(page)


def menu(hand, name):
    """A page of the menu: in the bar, or one tap further on a telephone."""
    wide = hand.page.locator(".places").get_by_role("link", name=name, exact=True)
    if wide.is_visible():
        hand.click(wide)
    else:
        hand.click(hand.page.locator(".places").get_by_role("link", name="Plus"))
        hand.click(hand.page.locator(".menu").get_by_role("link", name=name))


def test_an_unread_sms_is_answered_in_two(office, desk):
    office.control("replies", login=LOGIN, number=WRITER, to=NUMBER, text="Est-ce ouvert samedi ?")
    waits = desk.locator(".needs").get_by_role("link", name="Zoé Martin")
    until(lambda: dashboard(desk, office) and waits.count(), what="who waits for an answer")
    hand = dashboard(desk, office)
    hand.click(waits)
    desk.get_by_role("textbox", name=re.compile("^Répondre")).fill("Oui, de 9 h à 12 h.")
    hand.click(desk.get_by_role("button", name="Envoyer", exact=True))
    expect(desk.locator("#thread .bubble.ours").last).to_contain_text("Oui, de 9 h à 12 h.")
    assert hand.clicks <= 2


def test_one_known_contact_is_written_to_in_four(office, desk):
    hand = dashboard(desk, office)
    hand.click(desk.get_by_role("link", name="Nouveau SMS"))
    desk.get_by_role("textbox", name="À qui").press_sequentially("ines")
    hand.click(desk.locator("#suggestions button").first)
    desk.get_by_label("Texte du SMS").fill("Bonjour Inès")
    hand.click(desk.get_by_role("button", name="Envoyer", exact=True))
    expect(desk.locator("#thread .bubble.ours").last).to_contain_text("Bonjour Inès")  # and one is in the thread
    assert hand.clicks <= 4


def test_a_group_is_written_to_in_five(office, desk):
    hand = dashboard(desk, office)
    hand.click(desk.get_by_role("link", name="Nouveau SMS"))
    desk.get_by_role("textbox", name="À qui").press_sequentially("chor")
    hand.click(desk.locator("#suggestions button").first)
    desk.get_by_label("Texte du SMS").fill("Répétition jeudi à 18 h.")
    expect(desk.locator("#bill")).to_contain_text("2 personnes × 1 SMS")
    desk.get_by_label("une information").scroll_into_view_if_needed()
    hand.click(desk.get_by_label("une information"))
    hand.click(desk.get_by_role("button", name="Voir le compte rendu"))
    send = desk.get_by_role("button", name="Envoyer à 2 personnes")
    expect(send).to_be_visible(timeout=20_000)
    send.scroll_into_view_if_needed()
    hand.click(send)
    expect(desk.get_by_role("button", name="Annuler l’envoi")).to_be_visible()
    assert hand.clicks <= 5


def test_why_she_did_not_get_it_is_known_in_two(office, desk):
    hand = dashboard(desk, office)
    hand.click(desk.locator(".needs").get_by_role("link", name=re.compile("SMS n.*arrivé")))
    hand.click(desk.get_by_role("link", name=re.compile("Paul Lefèvre")).first)
    expect(desk.locator("main")).to_contain_text("Octopush refuse ce numéro de destinataire.")
    assert hand.clicks <= 2


def test_a_colleague_is_added_in_three(office, desk):
    hand = dashboard(desk, office)
    menu(hand, "Équipe")
    desk.get_by_label("Adresse e-mail").fill(f"ida{desk.viewport_size['width']}@exemple.fr")
    hand.click(desk.get_by_role("button", name="Inviter"))
    expect(desk.locator("#link")).to_contain_text("/welcome/")
    assert hand.clicks <= 3
