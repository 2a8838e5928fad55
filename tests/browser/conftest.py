"""Real Chromium on the real process tree."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import sync_playwright

from tests.factories import PASSWORD, until
from tests.tree import Tree

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
EMAIL = "lea@exemple.fr"
# A rule about landmarks that a one-form sign-in page does not need.
AXE = {"rules": {"region": {"enabled": False}}, "resultTypes": ["violations"]}


@pytest.fixture(scope="session")
def chromium():
    path = shutil.which("chromium")
    assert path, "the browser tests need Chromium: apt install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = Tree(tmp_path_factory.mktemp("tree"), RASPISMS_WORKERS="1")
    tree.start()
    tree.control("switches", report_delay=0.3)
    until(tree.setup_link, what="the link")
    tree.cookies = None
    yield tree
    assert tree.stop() == 0


class Person:
    """Somebody with a browser; every page they see must be clean."""

    def __init__(self, context, tree):
        self.context, self.tree = context, tree
        self.page = context.new_page()
        self.complaints = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message):
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def open(self, path):
        self.page.goto(self.tree.url + path)
        return self.page

    def check(self):
        """Nothing hangs over the edge, nothing breaks a rule of accessibility."""
        over = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{self.page.url} is {over} px too wide"
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = AxeResults(self.page.evaluate(f"axe.run({json.dumps(AXE)})"))
        assert found.violations_count == 0, found.generate_report()

    def look(self, width, *, dark=False):
        """The same page on another screen."""
        self.page.set_viewport_size({"width": width, "height": 844})
        self.page.emulate_media(color_scheme="dark" if dark else "light")


@pytest.fixture
def person(chromium, tree):
    """Opens browsers for people: person(width=390, dark=True, …)."""
    opened = []

    @contextmanager
    def person(width=1280, dark=False, javascript=True, locale="fr-FR"):
        context = chromium.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
            locale=locale,
        )
        one = Person(context, tree)
        opened.append(one)
        try:
            yield one
        finally:
            context.close()

    yield person
    for one in opened:
        assert one.complaints == []


def sign_in(person, tree):
    """Signed in: by way of the one-time link at first, then with the cookie that it gave."""
    page = person.page
    if tree.cookies:
        person.context.add_cookies(tree.cookies)
        return person.open("/")
    page.goto(tree.setup_link())
    page.get_by_label("Adresse e-mail").fill(EMAIL)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_label("Le même mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Créer l’administrateur").click()
    page.wait_for_url(re.compile("/$"))
    tree.cookies = person.context.cookies()
    return page
