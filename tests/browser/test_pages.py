"""Every page at two widths, in both themes, in both languages, with the worst that it may have to show."""

import zlib
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from raspisms import create_worker_app
from raspisms.campaigns import drafts, launch, review
from raspisms.campaigns.targets import Targets
from raspisms.clock import now
from raspisms.config import load
from raspisms.conversations import actions
from raspisms.extensions import db
from raspisms.models import Campaign, Conversation, Import, SavedText, User
from raspisms.people import contacts, groups, imports, opt_outs
from raspisms.people.reading import reader
from raspisms.storage.transactions import transaction
from tests.browser import pictures
from tests.browser.conftest import sign_in
from tests.factories import until

pytestmark = [pytest.mark.browser, pytest.mark.tree]

WORST_NAME = "Centre communal d’action sociale de Saint-Remy-en-Bouzemont-"
HEAVIEST = 100 * 1024
PATHS = (
    "/",
    "/conversations/",
    "/conversations/1",
    "/messages/",
    "/messages/1",
    "/messages/2",
    "/messages/3",
    "/messages/doubts",
    "/messages/new",
    "/received/",
    "/received/?unread=1",
    "/phones/",
    "/phones/new",
    "/phones/new?adapter=octopush_virtual_number",
    "/phones/1",
    "/phones/1/edit",
    "/phones/1/token",
    "/phones/1/email",
    "/profile/",
    "/nowhere",
)
# Looked at narrow and light, and wide and dark: each page takes a second, and the rules are the same.
MORE_PATHS = (
    "/messages/new?campaign=1",
    "/contacts/",
    "/contacts/?q=nobody",
    "/contacts/1",
    "/contacts/1/edit",
    "/imports/new",
    "/imports/1",
    "/imports/1?kind=new",
    "/imports/2",
    "/groups/",
    "/groups/1",
    "/groups/1/edit",
    "/groups/new",
    "/conversations/?view=closed",
    "/conversations/?q=bonjour",
    "/search/?q=ann",
    "/search/?q=nobody",
    "/messages/?q=mot&status=failed",
    "/received/?q=stop",
    "/scheduled/",
    "/events/",
    "/wall",
    "/design",
    "/campaigns/",
    "/campaigns/1",
    "/campaigns/1/edit",
    "/texts/",
    "/texts/new",
    "/texts/1/edit",
    "/contacts/new",
    "/opt-outs/",
    "/statistics/",
    "/statistics/invalid-numbers",
    "/preferences/",
    "/callbacks-in-trouble/",
    "/restoration/",
    "/team/",
    "/welcome/nothing",
    "/offline",
    "/more",
)


@pytest.fixture(scope="module")
def furnished(tree):
    """A phone with the longest name, messages in many states, a long received text."""
    phone = tree.add_phone()
    name = (WORST_NAME + "x" * 60)[:60]
    settings = ("login=pauvre@example.org", "api_key=sandbox-key", "number=0639989999")
    tree.command("phone", "add", name, "--adapter", "octopush_virtual_number", *settings, "--json")
    tree.control("credit", login="pauvre@example.org", credit=0)
    tree.send("+33639987001", text="Bonjour")
    tree.send("+33639980004", text="W" * 1224)
    tree.send("+33639980148", text="Un texte\navec des lignes et https://exemple.fr/" + "x" * 80)
    tree.command("send", "--phone", name, "--text", "Bonjour", "--json", "+33639987002")
    long_text = "Bonjour, " + "trèslongmotsansespaces" * 12
    tree.control("replies", login="mairie@example.org", number="+33639987001", to="+33755551111", text=long_text)
    furnish_people(tree)
    return phone


def furnish_people(tree):
    """Contacts with the worst names, an import with refused lines, a rule, a draft, messages that may be a STOP."""
    with create_worker_app(load(tree.settings())).app_context():
        names = ["", WORST_NAME, "Ann " * 20, "trèslongnomsansespace" * 4]
        rows = [f'"{name[:100]}";06399871{at:02};{"mot" * 60}' for at, name in enumerate(names)]
        text = "\n".join(["nom;portable;donnée", *rows, "Faux;12;x", f"{WORST_NAME};6,39987E+08;"])
        imports.work(imports.begin(reader.read_text(text).lines, "liste " + "x" * 80, None).id)
        imports.work(imports.apply(1).id)
        headings = ";".join(["nom", "portable", *(f"colonne{'x' * 50} {n}" for n in range(12))])
        content = "\n".join(["titre;" * 4, headings, *(row + ";w" * 11 for row in rows), f"A;01 99 00 10 01{';' * 12}"])
        waiting = imports.receive(imports.expect("liste " + "y" * 80, None), content.encode("cp1252")).id
        until(lambda: not imports.work(waiting) and db.session.get(Import, waiting, populate_existing=True).layout)
        groups.save(
            None, WORST_NAME, rule="contact.donnée matches '/^mot/' && contact_metas.number != '" + "1" * 60 + "'"
        )
        targets = Targets(groups=[1], numbers=[{"number": "faux" * 10}, {"number": "+33639987150"}])
        draft = drafts.save(
            None, drafts.Wish(None, "Reçu : {{ contact.donnée }} " + "W" * 100, targets, tag="x" * 60), None
        )
        review.compute(draft.id)
        contacts.save(
            None, None, "Avec tout", "0639987160", {f"clé{n}": "v" * 40 for n in range(12)}, consent="oui " * 30
        )
        opt_outs.add_many("0639987199", None)
        furnish_conversation()
        with transaction() as session:
            session.add(SavedText(name=WORST_NAME, text="Bonjour {{ contact.prénom }}, " + "W" * 200))
    tree.control(
        "replies",
        login="mairie@example.org",
        number="+33639987001",
        to="+33755551111",
        text="stop s'il vous plaît " * 8,
    )


def furnish_conversation():
    """The first conversation with long labels, a note, a colleague; a campaign for tomorrow."""
    first = db.session.query(Conversation).order_by(Conversation.id).first()
    actions.tag(first.id, WORST_NAME[:40])
    actions.tag(first.id, "x" * 40)
    user = db.session.query(User).first()
    if user is not None:
        actions.note(first.id, user.id, "Note " + "trèslong" * 40)
        actions.assign(first.id, user.id)
    later = drafts.Wish(None, WORST_NAME, Targets(numbers=[{"number": "+33639987150"}]), tag="x" * 60)
    draft = drafts.save(None, later, None)
    with transaction() as session:
        session.get(Campaign, draft.id).starts_at = now() + timedelta(days=1)
    review.compute(draft.id)
    reviewed = until(lambda: is_reviewed(draft.id), what="a review")  # the installation's own job may be at it
    launch.send(draft.id, reviewed.revision, None, may_override=True)


def is_reviewed(campaign_id):
    db.session.rollback()
    campaign = db.session.get(Campaign, campaign_id, populate_existing=True)
    return campaign.prepared_at is not None and campaign


# Loaded on a telephone and on a desk, and looked at from there in each width and theme.
NARROW, WIDE = ((360, False), (390, False), (768, False), (360, True)), ((1280, False), (1920, False), (1280, True))


@pytest.mark.parametrize("views", [NARROW, WIDE], ids=["narrow", "wide"])
def test_every_page_fits_and_can_be_read_by_everyone(tree, person, furnished, views):
    with person(views[0][0]) as reader:
        page = sign_in(reader, tree)
        expect(page.get_by_text("est en pause")).to_be_visible(timeout=20_000)
        for path in PATHS + MORE_PATHS:
            reader.open(path)
            for width, dark in views if path in PATHS else (views[0], views[-1]):
                reader.look(width, dark=dark)
                reader.check()


# What a browser asks for that is no page: files, parts of pages, answers to scripts, doors of other programs.
NO_PAGES = {
    "bootstrap.static", "static", "callbacks.receive", "health.live",
    "health.pulse", "health.ready", "home.live", "contacts.pick",
    "conversations.state", "conversations.with_number", "campaigns.new", "auth.login", "auth.setup",
    "conversations.saved_text", "installed.manifest", "installed.worker",
}  # fmt: skip


def test_no_page_is_left_out(app):
    routes = app.url_map.bind("localhost")
    shown = {routes.match(path.partition("?")[0])[0] for path in PATHS + MORE_PATHS if path != "/nowhere"}
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if ("GET" in rule.methods and not rule.rule.endswith((".csv", ">"))) or rule.rule.endswith(":contact_id>")
    }
    pages = {one for one in pages if "export" not in one}
    assert pages - NO_PAGES <= shown


def test_every_page_has_its_pictures(app):
    routes = app.url_map.bind("localhost")
    looked_at = {routes.match(path.partition("?")[0])[0] for path in PATHS + MORE_PATHS if path != "/nowhere"}
    pictured = {routes.match(path.partition("?")[0])[0] for _, path, _ in pictures.PAGES if path != "/nowhere"}
    # A conversation has no number of its own in a story: its picture is taken by way of the person's.
    assert looked_at <= pictured | {"conversations.show"}
    assert "conversations.with_number" in pictured
    kept = {path.name for path in (pictures.FOLDER / "pages").glob("*.jpg")}
    wanted = {f"{name}-{width}-{theme}.jpg" for name, _, _ in pictures.PAGES for width in pictures.WIDTHS
              for theme in ("light", "dark")}  # fmt: skip
    assert kept == wanted, "run `make pictures`"


def test_pages_fit_the_largest_screen(tree, person, furnished):
    with person(3840) as reader:
        sign_in(reader, tree)
        for path in ("/", "/wall", "/conversations/1", "/messages/"):
            reader.open(path)
            reader.check()


def test_pages_print_without_their_frame(tree, person, furnished):
    with person() as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/conversations/1")
        page.emulate_media(media="print")
        expect(page.locator(".bar")).to_be_hidden()
        expect(page.locator("#reply")).to_be_hidden()
        expect(page.locator("#thread .bubble").first).to_be_visible()


def test_pages_of_strangers_are_clean_too(tree, person):
    with person(390) as stranger:
        for path in ("/login", "/setup/wrong"):
            stranger.open(path)
            stranger.check()


def test_english_pages_are_clean_and_english(tree, person, furnished):
    with person() as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/profile/")
        page.get_by_label("English").check()
        page.get_by_role("button", name="Changer la langue").click()
        try:
            for path in PATHS + MORE_PATHS:
                reader.open(path)
                expect(page.locator("html")).to_have_attribute("lang", "en")
                assert len(zlib.compress(page.content().encode())) < HEAVIEST, path
                if path not in {"/wall", "/offline"}:
                    expect(page.locator("nav.places")).to_contain_text("Received messages")
        finally:
            page.goto(tree.url + "/profile/")
            page.get_by_label("Français").check()
            page.get_by_role("button", name="Change the language").click()


def test_the_keyboard_reaches_what_the_mouse_does(tree, person, furnished):
    with person() as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/messages/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.closest('main') !== null")
        assert focused


def test_an_error_is_announced_and_leads_to_its_field(tree, person, furnished):
    with person() as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/messages/new")
        page.get_by_role("textbox", name="À qui").fill("Jean")
        page.locator("#compose .send-bar > button").click()
        expect(page.locator("#summary")).to_be_focused()
        expect(page.get_by_role("textbox", name="À qui")).to_have_value("Jean")
        page.locator("#summary a").first.click()
        expect(page.get_by_role("textbox", name="À qui")).to_be_focused()
        reader.check()


def test_a_page_that_refreshes_itself_keeps_what_somebody_opened(tree, person, furnished):
    with person() as reader:
        page = sign_in(reader, tree)
        page.goto(tree.url + "/messages/2")
        expect(page.locator(".head .state")).to_have_text("Échec", timeout=20_000)
        opened = page.get_by_text("Références de l’envoi")
        opened.click()
        opened.blur()
        sms = next(sms for sms in tree.state()["messages"] if sms["number"] == "+33639980004")
        tree.control("reports", id=sms["id"], status="DELIVERED")  # a late success
        expect(page.locator(".head .state")).to_have_text("Délivré", timeout=20_000)
        expect(page.get_by_text("request_id")).to_be_visible()
