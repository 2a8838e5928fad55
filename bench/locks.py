"""What people wait for while a long job runs on a hundred thousand rows: nobody behind it, and nobody refused."""

from __future__ import annotations

import functools
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from bench.installation import Installation
from bench.interactive import Person
from bench.people import A_DAY, CONTACTS, fill
from bench.results import Results
from tests.factories import BOB, until
from tests.tree import LOGIN, NUMBER

LINES = 50_000
OPT_OUTS = 50_000
CAMPAIGN = 100_000
ALONE_SECONDS = 5.0
# What is over at once is watched for a little longer.
LEAST_SECONDS = 3.0
P99_SECONDS = 0.3
PAGES = ("/conversations/", "/messages/", "/contacts/?q=martin")
SERIES = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"


def main(results: Results) -> None:
    with Installation(workers=2) as installation:
        person = Person(installation)
        fill(installation)
        desk = Desk(installation, person)
        sent: list[float] = []
        seen: list[float] = []
        with desk.at_work() as alone:
            time.sleep(ALONE_SECONDS)
        _report(results, "nothing else", alone)
        for what, (prepare, job) in JOBS.items():
            subject = prepare(installation)
            with desk.at_work() as waits:
                seconds = _timed(functools.partial(job, installation, person, subject))
                time.sleep(max(0.0, LEAST_SECONDS - seconds))
            _report(results, f"{what}, {seconds:.0f} s", waits)
            sent, seen = sent + waits.seconds, seen + waits.pages
        _add(results, f"all of these together, {len(sent):,} SMS and {len(seen):,} pages", sent, seen, desk.refused)


def _report(results: Results, what: str, waits: Waits) -> None:
    count = f"{len(waits.seconds)} SMS and {len(waits.pages)} pages"
    _add(results, f"{count} during {what}", waits.seconds, waits.pages, waits.refused)


def _add(results: Results, what: str, sent: list[float], seen: list[float], refused: int) -> None:
    results.add(
        what,
        f"SMS: median {statistics.median(sent) * 1000:.0f} ms, p99 {_p99(sent) * 1000:.0f} ms,"
        f" worst {max(sent) * 1000:.0f} ms; pages: median {statistics.median(seen) * 1000:.0f} ms,"
        f" p99 {_p99(seen) * 1000:.0f} ms",
        f"{refused} refused",
        target=f"p99 ≤ {P99_SECONDS * 1000:.0f} ms, none refused",
        met=max(_p99(sent), _p99(seen)) <= P99_SECONDS and not refused,
    )


def _p99(seconds: list[float]) -> float:
    return min(max(seconds), statistics.quantiles(seconds, n=100)[98])


@dataclass
class Waits:
    """How long each request took, and how many were not served."""

    seconds: list[float] = field(default_factory=list)
    """Of SMS and replies that somebody sends."""
    pages: list[float] = field(default_factory=list)
    refused: int = 0


class Desk:
    """Two people at work: one writes SMS and replies, the other reads pages."""

    def __init__(self, installation: Installation, person: Person) -> None:
        self.url, self.cookies = person.url, person.session.cookies
        installation.tree.control("replies", login=LOGIN, number=BOB, text="Bonjour ?", to=NUMBER)
        until(lambda: installation.count("direction = 'in'"), what="what Bob wrote")
        [(self.conversation,)] = installation.ask("SELECT id FROM conversations")
        [(self.phone,)] = installation.ask("SELECT id FROM phones WHERE name = 'Mairie'")
        person.post("/contacts/bulk")
        self.token = person.token
        self.refused = 0

    @contextmanager
    def at_work(self) -> Iterator[Waits]:
        """They work for as long as the block lasts."""
        waits, ended = Waits(), threading.Event()
        threads = [threading.Thread(target=work, args=(waits, ended)) for work in (self._write, self._read)]
        for thread in threads:
            thread.start()
        try:
            yield waits
        finally:
            ended.set()
            for thread in threads:
                thread.join()
            self.refused += waits.refused

    def _write(self, waits: Waits, ended: threading.Event) -> None:
        with requests.Session() as session:
            session.cookies.update(self.cookies)
            turn = 0
            while not ended.wait(0.02):
                turn += 1
                form = {"csrf_token": self.token, "key": uuid.uuid4().hex, "text": f"Message {uuid.uuid4().hex}"}
                if turn % 2:
                    path, more = (
                        "/messages/new",
                        {"phone": self.phone, "to": "06 39 98 70 03", "purpose": "information"},
                    )
                else:
                    path, more = f"/conversations/{self.conversation}/reply", {"seen": 10**9}
                post = functools.partial(session.post, self.url + path, data=form | more, allow_redirects=False)
                self._timed(waits, waits.seconds, functools.partial(post, timeout=60), 302)

    def _read(self, waits: Waits, ended: threading.Event) -> None:
        with requests.Session() as session:
            session.cookies.update(self.cookies)
            turn = 0
            while not ended.wait(0.05):
                turn += 1
                path = PAGES[turn % len(PAGES)]
                self._timed(waits, waits.pages, functools.partial(session.get, self.url + path, timeout=60), 200)

    @staticmethod
    def _timed(waits: Waits, times: list[float], ask: Callable[[], requests.Response], expected: int) -> None:
        begun = time.monotonic()
        answer = ask()
        times.append(time.monotonic() - begun)
        waits.refused += answer.status_code != expected


def _timed(job: Callable[[], object]) -> float:
    begun = time.monotonic()
    job()
    return time.monotonic() - begun


# -- the jobs: what each needs, and what it does ------------------------------------------------------


def nothing(_installation: Installation) -> int:
    return 0


def bring_in(installation: Installation, person: Person, _subject: int) -> None:
    rows = [f"Nouveau{n};06{n:08};F;Metz" for n in range(20_000_000, 20_000_000 + LINES)]
    file = "\n".join(["nom;portable;genre;ville", *rows]).encode()
    person.post("/imports/new", files={"file": ("liste.csv", file)})
    until(lambda: installation.ask("SELECT state FROM imports") == [("ready",)], 300, "the reading")
    person.post("/imports/1/apply")
    until(lambda: installation.ask("SELECT state FROM imports") == [("applied",)], 300, "the import")


def undo(installation: Installation, person: Person, _subject: int) -> None:
    person.post("/imports/1/undo")
    until(lambda: installation.ask("SELECT state FROM imports") == [("undone",)], 300, "the undoing")


def datum(_installation: Installation, person: Person, _subject: int) -> None:
    person.post("/contacts/bulk", all="1", verb="datum", key="mandat", value="2026")


def opt_outs(installation: Installation, person: Person, _subject: int) -> None:
    numbers = "\n".join(f"+336{n:08}" for n in range(70_000_000, 70_000_000 + OPT_OUTS))
    person.post("/opt-outs/", numbers=numbers)
    assert installation.ask("SELECT count(*) FROM opt_outs") == [(OPT_OUTS,)]


def a_campaign(installation: Installation, status: str, *, limit: bool = False) -> int:
    """One behind the application's back, as if it had been accepted long ago; nothing of it leaves."""
    expires = f"'{A_DAY}'" if limit else "NULL"
    state = "done" if status == "failed" else "sending"
    # At once: the clock ends a campaign of which nothing waits.
    installation.tell(
        "UPDATE phones SET status = 'disabled'",
        "INSERT INTO campaigns (name, phone_id, text, purpose, state, turn, revision, position, hours, created_at)"
        f" VALUES ('Banc', 1, 'Banc', 'information', '{state}', 0, '0', 0, 'free', '{A_DAY}')",
        SERIES.format(last=CAMPAIGN) + " INSERT INTO messages (direction, phone_id, number, text, status, lane,"
        " purpose, batch_key, parts, campaign_id, created_at, expires_at)"
        f" SELECT 'out', 1, '+337' || substr('00000000' || i, -8), 'Banc', '{status}', 2, 'information', 'k', 1,"
        f" (SELECT max(id) FROM campaigns), '{A_DAY}', {expires} FROM n",
    )
    return int(installation.ask("SELECT max(id) FROM campaigns")[0][0])


def await_none(installation: Installation, campaign: int, status: str) -> None:
    left = f"SELECT 1 FROM messages WHERE campaign_id = {campaign} AND status = '{status}' LIMIT 1"
    until(lambda: not installation.ask(left), 300, f"the last {status} message")


def cancel(installation: Installation, person: Person, campaign: int) -> None:
    person.post(f"/campaigns/{campaign}/cancel")
    await_none(installation, campaign, "queued")


def retry(installation: Installation, person: Person, campaign: int) -> None:
    person.post(f"/campaigns/{campaign}/retry")
    await_none(installation, campaign, "failed")
    person.post(f"/campaigns/{campaign}/pause")


def expire(installation: Installation, _person: Person, campaign: int) -> None:
    await_none(installation, campaign, "queued")


def callbacks(installation: Installation) -> int:
    """As many as a busy month leaves, and somebody to erase."""
    installation.tell(
        SERIES.format(last=CAMPAIGN) + " INSERT INTO journal (phone_id, kind, content_type, query, body, received_at,"
        " state) SELECT 1, 'status', '', '', CAST('{\"number\": \"+337' || substr('00000000' || i, -8) || '\"}' AS"
        " BLOB), strftime('%Y-%m-%d %H:%M:%f', 'now'), 'applied' FROM n",
    )
    return int(installation.ask("SELECT max(id) FROM contacts")[0][0])


def erase(_installation: Installation, person: Person, contact: int) -> None:
    person.post(f"/contacts/{contact}/erase")


def remove(installation: Installation, person: Person, _subject: int) -> None:
    person.post("/contacts/bulk", all="1", verb="delete")
    assert installation.ask("SELECT count(*) FROM contacts") == [(0,)]


JOBS: dict[str, tuple[Callable[[Installation], int], Callable[[Installation, Person, int], None]]] = {
    f"an import of {LINES:,} lines": (nothing, bring_in),
    "its undoing": (nothing, undo),
    f"one datum given to {CONTACTS:,} contacts": (nothing, datum),
    f"{OPT_OUTS:,} opt-outs": (nothing, opt_outs),
    f"the cancelling of {CAMPAIGN:,} messages": (lambda on: a_campaign(on, "queued"), cancel),
    f"another try for {CAMPAIGN:,} that failed": (lambda on: a_campaign(on, "failed"), retry),
    f"the expiry of {CAMPAIGN:,}": (lambda on: a_campaign(on, "queued", limit=True), expire),
    f"an erasure beside {CAMPAIGN:,} callbacks": (callbacks, erase),
    f"the deleting of {CONTACTS:,} contacts": (nothing, remove),
}
