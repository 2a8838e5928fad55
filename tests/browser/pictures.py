"""python -m tests.browser.pictures: the README's pictures, and one of every page in both widths and themes.

Of the real pages of a real installation, furnished with a story (`make pictures`).
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from raspisms import create_worker_app
from raspisms.campaigns import drafts, launch, review
from raspisms.campaigns.targets import Targets
from raspisms.clock import now
from raspisms.config import load
from raspisms.conversations import actions, unsent_replies
from raspisms.extensions import db
from raspisms.models import Campaign, Conversation, Import, SavedText
from raspisms.people import contacts, groups, imports, opt_outs
from raspisms.people.reading import reader
from raspisms.storage.transactions import transaction
from tests.browser.conftest import EMAIL, FLAGS
from tests.factories import KEY, PASSWORD, until
from tests.tree import NUMBER, Tree

FOLDER = Path(__file__).parents[2] / "docs/pictures"
STORY = [
    ("+33639987011", "Bonjour, la bibliothèque ferme à 17 h demain."),
    ("+33639980004", "Votre colis vous attend à l’accueil."),
    ("+33639987012", "Rappel : réunion des parents jeudi à 18 h 30, salle B."),
    ("+33639980005", "Le cours de judo de samedi est déplacé à 10 h."),
    ("+33639987013", "Merci pour votre don ! Le reçu fiscal part par courrier."),
    ("+33639980148", "Le marché de Noël ouvre vendredi à 17 h."),
]
PEOPLE = "nom;portable;ville;civilité\n" + "\n".join(
    f"{name};{number};{town};{title}"
    for name, number, town, title in (
        ("Zoé Martin", "0639987012", "Lyon", "Mme"),
        ("Karim Benali", "0639987011", "Nice", "M."),
        ("Anne-Sophie de La Tour du Pin-Verclause", "0639987013", "Paris", "Mme"),
        ("Paul Lefèvre", "0639987021", "Lyon", "M."),
        ("Faux numéro", "12", "Lyon", "M."),
        ("Inès Roux", "6,39987E+08", "Nice", "Mme"),
    )
)
# Every page: its picture's name, where it is, what it is.
PAGES = (
    ("dashboard", "/", "Tableau de bord"),
    ("wall", "/wall", "Écran mural"),
    ("conversations", "/conversations/", "Discussions"),
    ("conversation", "/conversations/with?number=%2B33639987012", "Une discussion"),
    ("conversations-search", "/conversations/?q=parents", "Recherche dans les textes"),
    ("search", "/search/?q=mar", "Chercher partout"),
    ("messages", "/messages/", "SMS envoyés"),
    ("message", "/messages/2", "Pourquoi ? Un SMS et son histoire"),
    ("compose", "/messages/new", "Nouveau SMS"),
    ("compose-campaign", "/messages/new?campaign=1", "Nouvelle campagne"),
    ("doubts", "/messages/doubts", "Envois incertains"),
    ("received", "/received/", "SMS reçus"),
    ("unread", "/received/?unread=1", "SMS non lus"),
    ("scheduled", "/scheduled/", "SMS programmés"),
    ("campaigns", "/campaigns/", "Campagnes"),
    ("campaign", "/campaigns/1", "Une campagne"),
    ("campaign-report", "/campaigns/3", "Compte rendu avant l’envoi"),
    ("campaign-edit", "/campaigns/3/edit", "Modifier la campagne"),
    ("texts", "/texts/", "Modèles de texte"),
    ("text-new", "/texts/new", "Nouveau modèle"),
    ("text-edit", "/texts/1/edit", "Modifier un modèle"),
    ("contacts", "/contacts/", "Contacts"),
    ("contact", "/contacts/1", "Un contact"),
    ("contact-new", "/contacts/new", "Ajouter un contact"),
    ("contact-edit", "/contacts/1/edit", "Modifier un contact"),
    ("import-new", "/imports/new", "Importer une liste"),
    ("import", "/imports/1", "Un import"),
    ("import-columns", "/imports/2", "Un import, ses colonnes"),
    ("groups", "/groups/", "Groupes"),
    ("group", "/groups/1", "Un groupe conditionnel"),
    ("group-new", "/groups/new", "Ajouter un groupe"),
    ("group-edit", "/groups/1/edit", "Modifier un groupe"),
    ("opt-outs", "/opt-outs/", "SMS STOP"),
    ("events", "/events/", "Évènements"),
    ("statistics", "/statistics/", "Statistiques"),
    ("invalid-numbers", "/statistics/invalid-numbers", "Numéros invalides"),
    ("phones", "/phones/", "Téléphones"),
    ("phone-new", "/phones/new", "Ajouter un téléphone : l’adaptateur"),
    ("phone-form", "/phones/new?adapter=octopush_virtual_number", "Ajouter un téléphone : ses réglages"),
    ("phone", "/phones/2", "Un téléphone"),
    ("phone-edit", "/phones/2/edit", "Modifier un téléphone"),
    ("phone-token", "/phones/2/token", "Renouveler les callbacks"),
    ("phone-email", "/phones/2/email", "L’e-mail à Octopush"),
    ("preferences", "/preferences/", "Réglages"),
    ("callbacks-in-trouble", "/callbacks-in-trouble/", "Callbacks en difficulté"),
    ("restoration", "/restoration/", "Copie restaurée"),
    ("team", "/team/", "Équipe"),
    ("welcome-used", "/welcome/nothing", "Un lien qui ne sert plus"),
    ("profile", "/profile/", "Mon profil"),
    ("offline", "/offline", "Pas de réseau"),
    ("more", "/more", "Plus"),
    ("design", "/design", "Système graphique"),
    ("missing", "/nowhere", "Une page qui n’existe pas"),
)
# A list as a school keeps it: a title, columns of two people, a landline, agreements, a number that is none.
FAMILIES = """École Jules-Ferry ; liste des familles
Nom;Prénom;Classe;Mobile élève;Tél. parent;Accord SMS;Date de l'accord;Né(e) le;Ville
Martin;Léa;6e A;06 39 98 72 01;06 39 98 72 11;oui;03/09/2026;25/11/2014;Lyon
Durand;Bob;6e B;;639987212;x;04/09/2026;1/12/2014;Villeurbanne
Petit;Zoé;6e A;;01 99 00 10 04;non;;32/13/2014;Lyon
Roux;Ida;6e C;06 39 98 72 02 ou 06 39 98 72 03;;;;;Bron
"""
WIDTHS = (390, 1280)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="raspisms-pictures-") as folder, sync_playwright() as playwright:
        tree = Tree(Path(folder), RASPISMS_WORKERS="1", RASPISMS_PUBLIC_URL="https://sms.mairie-exemple.fr")
        tree.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            cookies = sign_in(browser, tree)
            furnish(tree)
            of_the_readme(browser, tree, cookies)
            of_every_page(browser, tree, cookies)
        finally:
            browser.close()
            tree.stop()


def sign_in(browser: Browser, tree: Tree) -> list:
    """The first administrator's cookies."""
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    page.goto(until(tree.setup_link))
    page.locator("#email").fill(EMAIL)
    page.locator("#password").fill(PASSWORD)
    page.locator("#repeated").fill(PASSWORD)
    page.locator("form button").click()
    page.wait_for_load_state()
    return context.cookies()


def opened(browser: Browser, cookies: list, width: int, height: int, *, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="fr-FR",
        device_scale_factor=1,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    context.add_cookies(cookies)
    return context.new_page()


def of_the_readme(browser: Browser, tree: Tree, cookies: list) -> None:
    for path, name, width, height in (
        ("/messages/", "messages", 1280, 640),
        ("/phones/", "phones", 1280, 560),
        ("/messages/2", "message-390", 390, 844),
    ):
        page = opened(browser, cookies, width, height)
        page.goto(tree.url + path)
        page.wait_for_load_state("load")
        page.screenshot(path=FOLDER / f"{name}.png")
        page.context.close()


def of_every_page(browser: Browser, tree: Tree, cookies: list) -> None:
    folder = FOLDER / "pages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for width in WIDTHS:
        for theme in ("light", "dark"):
            page = opened(browser, cookies, width, 844 if width < 600 else 800, dark=theme == "dark")
            for name, path, _ in PAGES:
                page.goto(tree.url + path)
                page.wait_for_load_state("load")
                page.screenshot(path=folder / f"{name}-{width}-{theme}.jpg", type="jpeg", quality=60, full_page=True)
            page.context.close()
    lines = [
        "# Every page, narrow and wide, light and dark",
        "",
        "Made by `make pictures` from a real installation.",
        "",
    ]
    lines += ["| Page | 390 px | 390 px, dark | 1280 px | 1280 px, dark |", "| --- | --- | --- | --- | --- |"]
    for name, path, title in PAGES:
        links = (f"[light]({name}-390-light.jpg)", f"[dark]({name}-390-dark.jpg)")
        wide = (f"[light]({name}-1280-light.jpg)", f"[dark]({name}-1280-dark.jpg)")
        lines.append(" | ".join((f"| {title}, `{path}`", *links, *wide)) + " |")
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def furnish(tree: Tree) -> None:
    tree.control("switches", report_delay=0.2)
    settings = ("login=mairie@example.org", f"api_key={KEY}", f"number={NUMBER}")
    phone = tree.command("phone", "add", "Mairie", "--adapter", "octopush_virtual_number", *settings, "--json")
    base = f"http://127.0.0.1:{tree.callbacks_port}"
    tree.register(
        {kind: url.replace("https://sms.mairie-exemple.fr", base) for kind, url in phone["callbacks"].items()}
    )
    for number, text in STORY:
        [sent] = tree.send(number, text=text)
        tree.await_status(sent, *(("sending",) if number.endswith("0148") else ("delivered", "failed", "unknown")))
    for number, text in (
        ("+33639987012", "J’y serai, merci !"),
        ("+33639987012", "Faut-il apporter quelque chose ? https://mairie-exemple.fr/salle-b"),
        ("+33639987031", "Bonjour, êtes-vous ouverts samedi matin ?"),
        ("+33639987032", "merci de ne plus m’écrire, stop s’il vous plaît"),
    ):
        tree.control("replies", login="mairie@example.org", number=number, to=NUMBER, text=text)
    with create_worker_app(load(tree.settings())).app_context():
        until(lambda: db.session.rollback() or db.session.query(Conversation).count() >= len(STORY) + 2)
        furnish_people()
        furnish_conversations()


def furnish_people() -> None:
    imports.work(imports.begin(reader.read_text(PEOPLE).lines, "adhérents.xlsx", 1).id)
    imports.work(imports.apply(1).id)
    families = imports.receive(imports.expect("familles.csv", 1), FAMILIES.encode("cp1252")).id
    until(lambda: not imports.work(families) and db.session.get(Import, families, populate_existing=True).layout)
    groups.save(None, "Lyon", rule="contact.ville == 'Lyon'")
    opt_outs.add_many("0639987099", 1)
    with transaction() as session:
        session.add(
            SavedText(name="Horaires", text="Bonjour, la mairie est ouverte du lundi au vendredi, de 9 h à 17 h.")
        )
    to_lyon = Targets(groups=[1], contacts=[2, 3])
    text = "Bonjour {{ contact_metas.name }}, la réunion de jeudi a lieu salle B. Venez-vous ?"
    for name, later in (("Réunion de jeudi", None), ("Vœux du maire", timedelta(days=9)), ("Fête de l’école", None)):
        draft = drafts.save(None, drafts.Wish(2, text, to_lyon, name=name, tag="vie locale"), 1)
        if later:
            with transaction() as session:
                session.get_one(Campaign, draft.id).starts_at = now() + later
        review.compute(draft.id)
        if name != "Fête de l’école":
            launch.send(draft.id, db.session.get_one(Campaign, draft.id).revision, 1, may_override=True)


def furnish_conversations() -> None:
    conversation = db.session.query(Conversation).filter_by(number="+33639987012").one()
    actions.assign(conversation.id, 1)
    actions.tag(conversation.id, "parents")
    actions.note(conversation.id, 1, "Déléguée des parents de CE2.")
    unsent_replies.keep_draft(conversation.id, 1, "Rien du tout, seulement votre bonne humeur.")
    contacts.save(None, None, "Nora Petit", "0639987031", {"ville": "Lyon"})


if __name__ == "__main__":
    main()
