"""What years of messages change: the same measurements on databases of ten thousand to a million messages."""

from __future__ import annotations

import json
import statistics
import time

from bench import load
from bench.campaigns import run
from bench.installation import Installation
from bench.interactive import Person
from bench.reports import sent_reports
from bench.results import Results

SIZES = (10_000, 100_000, 1_000_000)
ACCEPTED = 10_000
REPORTED = 1_500
SINGLE = 20
LARGEST_RATIO = 1.3
EVENTS = ("queued", "sending", "sent", "delivered")
A_DAY = "2026-01-05 10:00:00.000000"


def main(results: Results) -> None:
    found = {size: measure(size) for size in SIZES}
    for what in found[SIZES[0]]:
        small, *_, large = (found[size][what] for size in SIZES)
        ratio = large / small
        results.add(
            f"{what}, with 10 k / 100 k / 1 M messages",
            " / ".join(f"{found[size][what] * 1000:.2f}" for size in SIZES) + " ms",
            f"1 M takes {ratio:.2f} times as long as 10 k",
            target=f"≤ {LARGEST_RATIO}",
            met=ratio <= LARGEST_RATIO,
        )


def measure(size: int) -> dict[str, float]:
    """Seconds per message of each thing that grows with nothing but its own size."""
    with Installation() as installation:
        fill(installation, size)
        person = Person(installation)
        begun = time.monotonic()
        report = json.loads(installation.send_file(ACCEPTED, "Une liste", first=3_000_000).stdout)
        accepted = time.monotonic() - begun
        installation.await_campaign(report["campaign"]["id"])
        sent = run(installation, installation.accept_paused(ACCEPTED, "Une autre", first=4_000_000), 0.0)
        reported = load.post(installation.status_url, sent_reports(installation, REPORTED, first=5_000_000))
        single = [person.send(f"Message {n}") for n in range(SINGLE)]
    return {
        "accepting one recipient": accepted / ACCEPTED,
        "sending one message of a campaign": sent / ACCEPTED,
        "storing one report": reported.seconds / len(reported.times),
        "one message by hand, until the provider": statistics.median(single),
    }


def fill(installation: Installation, size: int) -> None:
    """Messages that were delivered long ago, one in a hundred of them from somebody, each with its history."""
    [(phone, account)] = installation.ask("SELECT id, account_id FROM phones WHERE name = 'Mairie'")
    series = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size})"
    events = " UNION ALL ".join(f"SELECT '{status}' AS status" for status in EVENTS)
    installation.tell(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size // 500})"
        " INSERT INTO submissions (id, account_id, phone_id, request_id, state, text, purpose, lane, provider_id,"
        "  attempts, in_flight, maybe_sent, unreadable, next_attempt_at, created_at)"
        f" SELECT i, {account}, {phone}, 'old-' || i, 'accepted', 'Ancien', 'information', 2, 'sms_old' || i,"
        f"  1, 0, 0, 0, '{A_DAY}', '{A_DAY}' FROM n",
        f"{series} INSERT INTO messages (id, direction, phone_id, number, text, status, lane, purpose, batch_key,"
        "  parts, submission_id, created_at, sent_at, delivered_at, read_at)"
        " SELECT i, CASE WHEN i % 100 THEN 'out' ELSE 'in' END,"
        f"  {phone}, '+3367' || substr('0000000' || (i % 5000000), -7), 'Un ancien message', CASE WHEN i % 100 THEN"
        "  'delivered' ELSE 'received' END, 2, 'information', '', 1, CASE WHEN i % 100 THEN 1 + i / 510 END,"
        f"  '{A_DAY}', '{A_DAY}', '{A_DAY}', '{A_DAY}' FROM n",
        "INSERT INTO message_events (message_id, at, status)"
        f" SELECT id, '{A_DAY}', e.status FROM messages, ({events}) AS e WHERE direction = 'out' ORDER BY id",
        "ANALYZE",
    )
