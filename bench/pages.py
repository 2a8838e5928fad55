"""Every page with a thousand messages and with a million, side by side: what years of use change for those who look."""

from __future__ import annotations

import statistics
import time

from bench.installation import Installation
from bench.interactive import Person
from bench.results import Results
from tests.factories import until

SIZES = (1_000, 1_000_000)
TIMES = 21
MEDIAN_SECONDS, WORST_SECONDS, LARGEST_RATIO = 0.050, 0.150, 1.5
# What differs by less than this is noise, whatever it is a multiple of.
NOISE_SECONDS = 0.005
PAGES = (
    "/",
    "/wall",
    "/conversations/",
    "/conversations/?q=rarissime",
    "/conversations/?q=message",
    "/conversations/1",
    "/messages/",
    "/messages/?q=rarissime",
    "/messages/?q=message",
    "/messages/?q=0671000",
    "/messages/?status=failed",
    "/messages/?sort=number",
    "/messages/?from=2026-01-01&to=2026-01-31",
    "/messages/1",
    "/messages/doubts",
    "/messages/new",
    "/received/",
    "/received/?unread=1",
    "/scheduled/",
    "/campaigns/",
    "/campaigns/1",
    "/contacts/",
    "/contacts/1",
    "/groups/",
    "/opt-outs/",
    "/events/",
    "/statistics/",
    "/statistics/invalid-numbers",
    "/phones/",
    "/preferences/",
    "/profile/",
)


def main(results: Results) -> None:
    found = {size: measure(size) for size in SIZES}
    small, large = (found[size] for size in SIZES)
    for path in PAGES:
        one, other = statistics.median(small[path]), statistics.median(large[path])
        worst = statistics.quantiles(large[path], n=20)[-1]
        ratio = other / one
        met = (
            other <= MEDIAN_SECONDS
            and worst <= WORST_SECONDS
            and (ratio <= LARGEST_RATIO or other - one <= NOISE_SECONDS)
        )
        results.add(
            f"`{path}` with 1 k and 1 M messages",
            f"{one * 1000:.0f} and {other * 1000:.0f} ms",
            f"× {ratio:.2f}; with 1 M, 19 of 20 under {worst * 1000:.0f} ms",
            target=f"≤ {MEDIAN_SECONDS * 1000:.0f} ms, 19 of 20 ≤ {WORST_SECONDS * 1000:.0f} ms, × ≤ {LARGEST_RATIO}",
            met=met,
        )


def measure(size: int) -> dict[str, list[float]]:
    """Seconds of each page, asked for in turn so that no page has all of a bad moment."""
    with Installation() as installation:
        fill(installation, size)
        person = Person(installation)
        until(lambda: is_settled(installation, size), 600, "what the clock indexes and counts")
        times: dict[str, list[float]] = {path: [] for path in PAGES}
        for path in PAGES:
            person.get(path)
        for _ in range(TIMES):
            for path in PAGES:
                begun = time.monotonic()
                person.get(path)
                times[path].append(time.monotonic() - begun)
    return times


def is_settled(installation: Installation, size: int) -> bool:
    """Whether the clock has indexed and counted what appeared behind its back."""
    [(indexed,)] = installation.ask("SELECT max(id) FROM message_words_docsize")
    [(days,)] = installation.ask("SELECT count(*) FROM counted_days")
    return indexed == size and days >= 400


def fill(installation: Installation, size: int) -> None:
    """Messages of thirteen months: one in a hundred received, one in two hundred failed, campaigns, conversations."""
    [(phone,)] = installation.ask("SELECT id FROM phones WHERE name = 'Mairie'")
    # A page is as full in the small one: the same work, on fewer rows behind it.
    people, campaigns, each = max(100, size // 100), max(60, size // 1000), 10 if size < 10_000 else 100
    step = 400 * 86_400 / size
    numbers = "'+3367' || substr('0000000' || (i * 7919 % 9999991), -7)"
    at = f"strftime('%Y-%m-%d %H:%M:%S.000000', 'now', '-400 days', '+' || CAST(i * {step} AS INTEGER) || ' seconds')"
    status = (
        f"CASE WHEN i % {each} = 0 THEN 'received' WHEN i % 200 = 1 THEN 'failed' WHEN i % 1000 = 3 THEN 'unknown'"
        " ELSE 'delivered' END"
    )
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    installation.tell(
        series.format(last=people) + " INSERT INTO contacts"
        " (name, number, data, sort_key, search, origin, consent, version, created_at, updated_at)"
        f" SELECT 'Martin' || i, {numbers.replace('i *', 'i * 100 *')}, '{{}}', 'martin' || i, 'martin' || i, '', '',"
        " 1, '2026-01-05 10:00:00', '2026-01-05 10:00:00' FROM n",
        series.format(last=campaigns) + " INSERT INTO campaigns (id, name, phone_id, text, purpose, state, turn,"
        " revision, position, hours, created_at)"
        f" SELECT i, 'Campagne ' || i, {phone}, 'Un message', 'information', 'done', 0, 1, 0, 'free', {at} FROM n",
        series.format(last=size)
        + " INSERT INTO messages (id, direction, phone_id, number, text, status, lane, purpose,"
        " batch_key, parts, cost, campaign_id, created_at, sent_at, delivered_at, figures_at, read_at)"
        f" SELECT i, CASE WHEN i % {each} = 0 THEN 'in' ELSE 'out' END, {phone}, {numbers},"
        " CASE WHEN i % 9973 = 500 THEN 'Un mot rarissime' ELSE 'Un message de la mairie, numéro ' || i END,"
        f" {status}, 2, 'information', '', 1, 60000, CASE WHEN i % {each} AND i % 7 THEN 1 + i % {campaigns} END,"
        f" {at}, {at}, {at}, {at},"
        f" CASE WHEN i % {each} = 0 AND i % {each * 50} THEN {at} END FROM n",
        "INSERT INTO message_events (message_id, at, status, reason) SELECT id, created_at, status,"
        " CASE WHEN status = 'failed' THEN 'Le numéro n’existe pas.' END FROM messages",
        "INSERT INTO conversations (phone_id, number, last_at, last_message_id, unread, waiting_since)"
        " SELECT phone_id, number, max(created_at), max(id), sum(read_at IS NULL), NULL"
        " FROM messages WHERE direction = 'in' GROUP BY phone_id, number",
        series.format(last=max(100, size // 100)) + " INSERT INTO opt_outs (number, origin, created_at)"
        f" SELECT '+3368' || substr('0000000' || i, -7), 'reply', {at} FROM n",
        series.format(last=max(100, size // 100)) + " INSERT INTO audit_entries (at, action, subject)"
        f" SELECT {at}, 'campaign launched', 'campaign ' || i FROM n",
        # The clock has looked for days that were never counted, and there were none yet.
        "DELETE FROM preferences WHERE name = 'figures looked for on'",
        "ANALYZE",
    )
