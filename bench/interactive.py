"""From the button to the provider: what a person waits for."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import requests
from bs4 import BeautifulSoup

from tests.factories import KEY, PASSWORD, until
from tests.tree import Tree

ROUNDS = 40
LEA = "+33639987001"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="raspisms-bench-") as folder:
        tree = Tree(Path(folder), RASPISMS_WORKERS="1")
        started = time.monotonic()
        tree.start()
        print(f"raspisms up until /health/ready says so: {time.monotonic() - started:.2f} s")
        try:
            tree.add_phone()
            tree.control("switches", reports=False)
            tree.control("credit", login="mairie@example.org", credit=1000)
            latencies = [compose_once(session, tree, number) for session in [sign_in(tree)] for number in range(ROUNDS)]
            floor = [provider_once(tree) for _ in range(ROUNDS)]
        finally:
            tree.stop()
    report(latencies, floor)


def sign_in(tree: Tree) -> requests.Session:
    session = requests.Session()
    link = until(tree.setup_link)
    form = {"email": "lea@exemple.fr", "password": PASSWORD, "repeated": PASSWORD}
    session.post(link, data=form | {"csrf_token": field(session.get(link), "csrf_token")}).raise_for_status()
    return session


def field(page: requests.Response, name: str) -> str:
    return BeautifulSoup(page.text, "html5lib").find("input", {"name": name})["value"]


def compose_once(session: requests.Session, tree: Tree, number: int) -> float:
    """Seconds from POST /messages/new to the provider's sight of the request."""
    page = session.get(f"{tree.url}/messages/new")
    option = next(o for o in BeautifulSoup(page.text, "html5lib").find_all("option") if "Mairie" in o.text)
    form = {
        "csrf_token": field(page, "csrf_token"),
        "key": field(page, "key"),
        "phone": option["value"],
        "to": LEA,
        "text": f"Message {number}",
    }
    begun = time.time()
    answer = session.post(f"{tree.url}/messages/new", data=form, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    seen = until(lambda: (found := tree.state()["requests"]) and len(found) == number + 1 and found)
    return seen[-1]["at"] - begun


def provider_once(tree: Tree) -> float:
    """Seconds of one bare request to the pretended provider: what nobody can do without."""
    headers = {"api-login": "mairie@example.org", "api-key": KEY}
    begun = time.time()
    requests.get(f"{tree.sandbox}/v1/public/wallet/check-balance", headers=headers, timeout=5)
    return time.time() - begun


def report(latencies: list[float], floor: list[float]) -> None:
    median = statistics.median(latencies)
    bare = statistics.median(floor)
    ninth = statistics.quantiles(latencies, n=10)[-1]
    print(f"POST /messages/new until the provider's request, {ROUNDS} times on an idle machine:")
    print(f"  median {median * 1000:.0f} ms, 9 of 10 under {ninth * 1000:.0f} ms")
    print(f"  {median / bare:.1f} times one bare request to the same provider ({bare * 1000:.1f} ms)")
