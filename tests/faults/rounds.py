"""One round: people write and are written to while something breaks; then everything is counted."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from random import Random

import requests
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from raspisms.extensions import db
from raspisms.models import (
    Campaign,
    CampaignState,
    Direction,
    JournalEntry,
    JournalState,
    Message,
    MessageEvent,
    ParkedReport,
    Phone,
    Status,
)
from raspisms.people.traces import mentions
from raspisms.sandbox import inbound
from raspisms.sending import acceptance, outbox
from raspisms.storage.transactions import StorageUnavailable
from tests.factories import PASSWORD
from tests.faults.installation import EMAIL, PHONES, Installation

# A round begins and is hurt within this many seconds: about as long as its requests take.
BUSY_SECONDS = 0.4
CAMPAIGNS = ((0, 16), (0, 12), (1, 20))
SINGLES = 3
REPLIES = 3
# Now and then a campaign of more than one request.
LONG_EVERY, LONG = 25, 600


@dataclass
class Tally:
    """What came of so many rounds. Everything but the first three is a defect."""

    rounds: int = 0
    messages: int = 0
    replies: int = 0
    lost: int = 0
    """Messages that the provider never took, or that never got further than the queue."""
    doubled: int = 0
    """Times that the provider took a message too often."""
    unreported: int = 0
    """Messages whose reports were not applied, or twice."""
    replies_lost: int = 0
    replies_doubled: int = 0
    miscounted: int = 0
    """Campaigns whose state or counts are wrong."""
    slowest: float = 0.0
    """Seconds from the fault until everything was delivered, at worst."""
    remarks: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        defects = (self.lost, self.doubled, self.unreported, self.replies_lost, self.replies_doubled, self.miscounted)
        return not any(defects)

    def add(self, other: Tally) -> None:
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, max(mine, theirs) if one.name == "slowest" else mine + theirs)


class Rounds:
    """Rounds on one installation, one after another."""

    def __init__(self, installation: Installation, random: Random, *, by_page: bool = False, patience: float = 90.0):
        self.installation, self.random = installation, random
        self.patience = patience
        self.numbers = installation.numbers
        self.page = Page(installation) if by_page else None
        self.tally = Tally()

    def run(self, break_something: Callable[[], None], afterwards: Callable[[], int] = lambda: 0) -> None:
        """One round; what `break_something` breaks must be whole again when it returns, or heal by itself."""
        self.tally.rounds += 1
        begun = time.monotonic()
        seen, stored = len(self.installation.state.messages), self._last_message()
        instant = self.random.uniform(0, BUSY_SECONDS)
        breaker = threading.Thread(target=self._strike, args=(instant, break_something))
        breaker.start()
        wanted, campaigns, written = self._work()
        breaker.join()
        self._await(wanted, written, stored)
        self.tally.slowest = max(self.tally.slowest, round(time.monotonic() - begun, 1))
        self._count(wanted, campaigns, written, seen, stored)
        self.tally.doubled += afterwards()

    def _strike(self, instant: float, break_something: Callable[[], None]) -> None:
        """A fault that could not be made, or what should have come of it and did not, is a defect of the round."""
        time.sleep(instant)
        try:
            break_something()
        except Exception as error:
            self.tally.miscounted += 1
            self.tally.remarks.append(f"round {self.tally.rounds}: {error!r}")

    # -- what people do ---------------------------------------------------------------------------------

    def _work(self) -> tuple[list[str], dict[int, int], list[str]]:
        """Numbers written to, campaigns with their sizes, texts written to us."""
        wanted: list[str] = []
        campaigns: dict[int, int] = {}
        written: list[str] = []
        mark = f"{self.tally.rounds}-{self.random.randrange(10**9)}"
        sizes = [*CAMPAIGNS, (1, LONG)] if self.tally.rounds % LONG_EVERY == 0 else list(CAMPAIGNS)
        for position, (phone, size) in enumerate(sizes):
            numbers = list(itertools.islice(self.numbers, size))
            campaigns[self._accept(phone, numbers, f"Campagne {mark} {position}")] = size
            wanted += numbers
            written.append(self._write(numbers[0], phone, f"Réponse {mark} {position}"))
        for position in range(SINGLES):
            number = next(self.numbers)
            self._post(position % len(PHONES), number, f"Bonjour {mark} {position}")
            wanted.append(number)
        return wanted, campaigns, written

    def _accept(self, phone: int, numbers: list[str], text: str) -> int:
        def accept() -> int:
            found = db.session.get(Phone, self.installation.phones[phone].id)
            return acceptance.post_campaign(found, enumerate(numbers, start=1), text).campaign_id

        return self._insist(accept)

    def _post(self, phone: int, number: str, text: str) -> None:
        if self.page:
            self.page.post(self.installation.phones[phone].id, number, text)
            return
        key = str(self.random.random())

        def post() -> None:
            outbox.post(db.session.get(Phone, self.installation.phones[phone].id), [number], text, form_key=key)

        self._insist(post)

    def _insist(self, act):
        """Do it until it is accepted, as a person does whose page says that nothing was saved."""
        ends = time.monotonic() + self.patience
        while True:
            with self.installation.app.app_context():
                try:
                    return act()
                except (StorageUnavailable, db_error()):
                    if time.monotonic() > ends:
                        raise
                    db.session.rollback()
            self.installation.heal()
            time.sleep(0.1)

    def _write(self, number: str, phone: int, text: str) -> str:
        """A handset writes to us."""
        login, own = list(PHONES.values())[phone]
        inbound.write(self.installation.state, login, number, text, own, with_ticket=False)
        return text

    # -- what became of it ------------------------------------------------------------------------------

    def _last_message(self) -> int:
        with self.installation.app.app_context():
            return db.session.scalar(select(func.max(Message.id))) or 0

    def _await(self, wanted: list[str], written: list[str], stored: int) -> None:
        """Wait until everything is delivered and every callback applied, or patience ends."""
        ends = time.monotonic() + self.patience
        while time.monotonic() < ends:
            self.installation.heal()
            with self.installation.app.app_context():
                try:
                    if self._is_calm(len(wanted), len(written), stored):
                        return
                except (StorageUnavailable, db_error()):
                    db.session.rollback()
            time.sleep(0.1)
        self.tally.remarks.append(f"round {self.tally.rounds}: not calm after {self.patience:.0f} s")

    def _is_calm(self, wanted: int, written: int, stored: int) -> bool:
        # Without those that a fault wrote by itself: it has waited for them, and they would stand for ours.
        ours = (Message.id > stored, Message.number.not_in(self.installation.aside))
        rows = select(Message.direction, func.count()).where(*ours).group_by(Message.direction)
        done = dict(db.session.execute(rows.where(Message.status.in_((Status.DELIVERED, Status.RECEIVED)))).all())
        waiting = select(JournalEntry.id).where(JournalEntry.state == JournalState.NEW).limit(1)
        # A whole campaign may have been cancelled because its acceptance failed; what counts is what was accepted.
        return (
            done.get(Direction.OUT, 0) >= wanted
            and done.get(Direction.IN, 0) >= written
            and db.session.scalar(waiting) is None
            and db.session.scalar(select(Campaign.id).where(Campaign.state == CampaignState.SENDING)) is None
        )

    def _count(self, wanted, campaigns, written, seen, stored) -> None:
        tally = self.tally
        tally.messages += len(wanted)
        tally.replies += len(written)
        taken = Counter(sms.number for sms in self.installation.state.messages[seen:] if not sms.incoming)
        tally.doubled += sum(taken[number] - 1 for number in taken if taken[number] > 1)
        with self.installation.app.app_context():
            rows = db.session.execute(
                select(Message.id, Message.number, Message.status)
                .where(Message.id > stored, Message.direction == Direction.OUT, Message.status != Status.CANCELLED)
                .where(Message.number.not_in(self.installation.aside))
            ).all()
            tally.lost += sum(taken[number] == 0 for number in wanted) + abs(len(wanted) - len(rows))
            tally.unreported += self._unreported([row.id for row in rows])
            texts = Counter(
                db.session.scalars(select(Message.text).where(Message.id > stored, Message.direction == Direction.IN))
            )
            tally.replies_lost += sum(texts[text] == 0 for text in written)
            tally.replies_doubled += sum(texts[text] > 1 for text in written)
            tally.miscounted += sum(not self._is_counted_right(*campaign) for campaign in campaigns.items())

    def _unreported(self, ids: list[int]) -> int:
        """Messages without exactly one event "delivered", and reports that were kept without being applied."""
        delivered = (
            select(MessageEvent.message_id, func.count())
            .where(MessageEvent.message_id.in_(ids), MessageEvent.words == "DELIVERED")
            .group_by(MessageEvent.message_id)
        )
        counted = dict(db.session.execute(delivered).all())
        parked = db.session.scalar(select(func.count()).select_from(ParkedReport))
        failed = db.session.scalar(
            select(func.count())
            .where(JournalEntry.state.in_((JournalState.FAILED, JournalState.UNREADABLE)))
            .where(~mentions("poison"))
        )
        return sum(counted.get(message_id) != 1 for message_id in ids) + parked + failed

    @staticmethod
    def _is_counted_right(campaign_id: int, size: int) -> bool:
        from raspisms.campaigns import lifecycle

        counts = {status: number for status, number in lifecycle.counts(campaign_id).items() if number}
        return db.session.get(Campaign, campaign_id).state is CampaignState.DONE and counts == {Status.DELIVERED: size}


def db_error():
    from sqlalchemy.exc import DBAPIError

    return DBAPIError


class Page:
    """Somebody who writes with the browser, and sends the same form again when it did not answer."""

    def __init__(self, installation: Installation) -> None:
        self.url = installation.tree.url
        self.session = requests.Session()
        page = self._get("/login")
        self._post("/login", page, {"email": EMAIL, "password": PASSWORD})

    def post(self, phone_id: int, number: str, text: str) -> None:
        page = self._get("/messages/new")
        self._post("/messages/new", page, {"phone": str(phone_id), "to": number, "text": text})

    def _get(self, path):
        return BeautifulSoup(self._insist("GET", path).text, "html5lib")

    def _post(self, path, page, typed):
        hidden = {field["name"]: field["value"] for field in page.find("main").select("input[type=hidden][name]")}
        return self._insist("POST", path, data=hidden | typed)

    def _insist(self, method, path, **more):
        ends = time.monotonic() + 30
        expected = 302 if method == "POST" else 200
        while True:
            try:
                answer = self.session.request(method, self.url + path, timeout=10, allow_redirects=False, **more)
                if answer.status_code == expected:
                    return answer
                said = f"{answer.status_code} {answer.text[:2000]}"
            except requests.RequestException as error:
                said = type(error).__name__
            assert time.monotonic() < ends, said
            time.sleep(0.05)
