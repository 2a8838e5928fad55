"""What a person waits for: the start, one message, a reply that overtakes a campaign."""

from __future__ import annotations

import statistics
import time

import requests
from bs4 import BeautifulSoup

from bench.installation import GROUP, Installation
from bench.results import Results
from tests.factories import LEA, PASSWORD, until
from tests.tree import LOGIN, NUMBER

ROUNDS = 40
OVERTAKING = 15
LATENCY = 0.05
# The campaign that replies overtake lasts for as long as they take on this machine, and twice that again.
FASTEST, SPARE = GROUP / LATENCY, 3
LEAST, MOST = 50_000, 1_000_000


def main(results: Results) -> None:
    with Installation() as installation:
        person = Person(installation)
        begun = time.monotonic()
        alone = [person.send(f"Message {n}") for n in range(ROUNDS)]
        cycle = (time.monotonic() - begun) / ROUNDS
        results.add("`raspisms up` until /health/ready says so", f"{installation.started_in:.2f} s")
        results.add(
            f"POST /messages/new until the provider's request, {ROUNDS} times",
            f"median {statistics.median(alone) * 1000:.0f} ms",
            f"9 of 10 under {statistics.quantiles(alone, n=10)[-1] * 1000:.0f} ms",
        )
        overtaking(installation, person, results, cycle)


def overtaking(installation: Installation, person: Person, results: Results, cycle: float) -> None:
    """An answer to somebody who wrote, while a campaign is leaving; one took `cycle` seconds, with all around it."""
    size = round(min(MOST, max(LEAST, OVERTAKING * cycle * SPARE * FASTEST)), -3)
    installation.tree.control("replies", login=LOGIN, number=LEA, text="Bonjour ?", to=NUMBER)
    until(lambda: installation.count("direction = 'in'"), what="what Léa wrote")
    [(message,)] = installation.ask("SELECT id FROM messages WHERE direction = 'in'")
    installation.switch(latency=LATENCY)
    campaign = installation.accept(int(size), "Une longue campagne")
    times = []
    for n in range(OVERTAKING):
        seconds = person.send(f"Réponse {n}", reply_to=message)
        if not installation.count(f"campaign_id = {campaign} AND status = 'queued'"):
            results.unmeasured(f"replies {n + 1} to {OVERTAKING} beside a campaign", "it had ended by then")
            break
        times.append(seconds)
    if not times:
        return
    asked = LATENCY + 0.1
    results.add(
        f"a reply while a campaign of {size:,.0f} leaves, provider at {LATENCY * 1000:.0f} ms",
        f"median {statistics.median(times) * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms",
        "from POST to the provider's sight of it",
        target=f"≤ {asked * 1000:.0f} ms (one request + 100 ms)",
        met=statistics.median(times) <= asked,
    )
    installation.tree.command("campaign", "cancel", str(campaign), "--json")


class Person:
    """Somebody with a browser, signed in."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.url = installation, installation.tree.url
        self.session = requests.Session()
        self.token = ""
        link = until(installation.tree.setup_link)
        form = {"email": "lea@exemple.fr", "password": PASSWORD, "repeated": PASSWORD}
        token = _field(self.session.get(link), "csrf_token")
        self.session.post(link, data=form | {"csrf_token": token}).raise_for_status()

    def send(self, text: str, reply_to: int | None = None) -> float:
        """Seconds from POST to the provider's sight of the request."""
        path = f"{self.url}/messages/new" + (f"?reply_to={reply_to}" if reply_to else "")
        page = self.session.get(path)
        form = {name: _field(page, name) for name in ("csrf_token", "key")} | {"to": LEA, "text": text}
        option = next(o for o in BeautifulSoup(page.text, "html5lib").find_all("option") if "Mairie" in o.text)
        begun = time.time()
        answer = self.session.post(path, data=form | {"phone": option["value"]}, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        # The sandbox is asked once, at the end: its whole memory in every answer would be a load of its own.
        newest = f"id = (SELECT max(id) FROM messages) AND text = '{text}' AND status IN ('sent', 'delivered')"
        until(lambda: self.installation.count(newest), what="a sent message")
        return until(lambda: self._seen(text)) - begun

    def get(self, path: str) -> requests.Response:
        """A page, as the browser asks for it."""
        answer = self.session.get(self.url + path)
        answer.raise_for_status()
        return answer

    def post(self, path: str, files: dict | None = None, **fields: str) -> requests.Response:
        """A form, as the browser posts it; the page that follows is not waited for."""
        self.token = self.token or _field(self.session.get(self.url + "/contacts/new"), "csrf_token")
        form = fields | {"csrf_token": self.token}
        answer = self.session.post(self.url + path, data=form, files=files, allow_redirects=False)
        answer.raise_for_status()
        return answer

    def _seen(self, text: str) -> float | None:
        """When the provider saw a request with this text."""
        return next((one["at"] for one in reversed(self.installation.requests()) if one["body"]["text"] == text), None)


def _field(page: requests.Response, name: str) -> str:
    return BeautifulSoup(page.text, "html5lib").find("input", {"name": name})["value"]
