"""python -m tests.browser.pictures: the README's pictures, of the real pages (`make pictures`)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.factories import KEY, PASSWORD, until
from tests.tree import NUMBER, Tree

from .conftest import EMAIL, FLAGS

FOLDER = Path(__file__).parents[2] / "docs/pictures"
STORY = [
    ("+33639987011", "Bonjour, la bibliothèque ferme à 17 h demain."),
    ("+33639980004", "Votre colis vous attend à l’accueil."),
    ("+33639987012", "Rappel : réunion des parents jeudi à 18 h 30, salle B."),
    ("+33639980005", "Le cours de judo de samedi est déplacé à 10 h."),
    ("+33639987013", "Merci pour votre don ! Le reçu fiscal part par courrier."),
    ("+33639980148", "Le marché de Noël ouvre vendredi à 17 h."),
]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="raspisms-pictures-") as folder, sync_playwright() as playwright:
        tree = Tree(Path(folder), RASPISMS_WORKERS="1", RASPISMS_PUBLIC_URL="https://sms.mairie-exemple.fr")
        tree.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            furnish(tree)
            context = browser.new_context(
                viewport={"width": 1280, "height": 640}, locale="fr-FR", device_scale_factor=1
            )
            page = context.new_page()
            page.goto(until(tree.setup_link))
            page.locator("#email").fill(EMAIL)
            page.locator("#password").fill(PASSWORD)
            page.locator("#repeated").fill(PASSWORD)
            page.locator("form button").click()
            page.wait_for_load_state()
            for path, name, width, height in (
                ("/messages/", "messages", 1280, 640),
                ("/phones/", "phones", 1280, 560),
                ("/messages/2", "message-390", 390, 844),
            ):
                page.set_viewport_size({"width": width, "height": height})
                page.goto(tree.url + path)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=FOLDER / f"{name}.png")
        finally:
            browser.close()
            tree.stop()


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
    tree.control("replies", login="mairie@example.org", number="+33639987012", to=NUMBER, text="J’y serai, merci !")


if __name__ == "__main__":
    main()
