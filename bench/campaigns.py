"""Campaigns: accepting a long list, and how near sending comes to what one request at a time allows."""

from __future__ import annotations

import resource
import time

import requests

from bench.installation import GROUP, Installation
from bench.results import Results
from tests.factories import KEY
from tests.tree import LOGIN, NUMBER

ACCEPTED = 100_000
SENT = 20_000
# Personal texts, by provider latency in seconds.
PERSONAL = {0.0: 2_000, 0.05: 400}
ONE_BY_ONE = 100
# Provider latencies in seconds, and what is asked at each: a share of the limit, or messages a second.
LATENCIES = {0.0: 8_000.0, 0.05: 0.80, 0.15: 0.85}


def main(results: Results) -> None:
    with Installation() as installation:
        accept(installation, results)
        for position, latency in enumerate(LATENCIES):
            same_text(installation, results, latency, first=position * SENT)
        for latency, count in PERSONAL.items():
            personal_texts(installation, results, latency, count)


def accept(installation: Installation, results: Results) -> None:
    """One call for a long list: rows a second, and the memory of the process that accepts it."""
    installation.switch(latency=1.0)
    begun = time.monotonic()
    done = installation.send_file(ACCEPTED, "Bonjour")
    seconds = time.monotonic() - begun
    mebibytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    installation.cancel(done)
    results.add(
        f"accepting {ACCEPTED:,} recipients",
        f"{seconds:.1f} s, {mebibytes:.0f} MiB at most",
        f"{ACCEPTED / seconds:,.0f} rows/s",
        target="≤ 15 s, < 250 MiB",
        met=seconds <= 15 and mebibytes < 250,
    )


def same_text(installation: Installation, results: Results, latency: float, first: int) -> None:
    """Messages a second from the first request to the last answer, and their share of the limit."""
    seconds = run(installation, installation.accept_paused(SENT, f"Bonjour {latency}", first=first), latency)
    rate = SENT / seconds
    single = one_by_one(installation, latency)
    milliseconds = latency * 1000
    if latency:
        share = rate * latency / GROUP
        asked, met = f"≥ {LATENCIES[latency]:.2f} of the limit", share >= LATENCIES[latency]
        beside = f"{share:.2f} of the limit of one request of {GROUP} at a time"
        results.numbers[f"share at {milliseconds:.0f} ms"] = share
    else:
        asked, met, beside = f"≥ {LATENCIES[latency]:,.0f}/s", rate >= LATENCIES[latency], ""
    results.add(
        f"campaign of {SENT:,}, one text, provider at {milliseconds:.0f} ms",
        f"{rate:,.0f} messages/s",
        beside,
        target=asked,
        met=met,
    )
    results.add(
        f"… one request per recipient, at {milliseconds:.0f} ms",
        f"{single:,.0f} messages/s",
        f"ours is {rate / single:,.0f} times as fast",
    )
    results.numbers |= {f"ours at {milliseconds:.0f} ms": rate, f"one by one at {milliseconds:.0f} ms": single}


def personal_texts(installation: Installation, results: Results, latency: float, count: int) -> None:
    """Every recipient has another text, so every request has one recipient."""
    campaign = installation.accept_paused(count, f"Bonjour {latency}", first=500_000)
    installation.tell(
        f"UPDATE messages SET text = 'Bonjour ' || id, batch_key = 'text-' || id WHERE campaign_id = {campaign}"
    )
    rate = count / run(installation, campaign, latency)
    bare = one_by_one(installation, latency, min(count, 500))
    results.add(
        f"{count:,} personal texts, provider at {latency * 1000:.0f} ms",
        f"{rate:,.0f} messages/s",
        f"{rate / bare:.2f} of a bare loop of requests that keeps no record ({bare:,.0f}/s)",
    )


def run(installation: Installation, campaign: int, latency: float) -> float:
    """Seconds from the first request of a paused campaign to the last answer."""
    installation.switch(latency=latency)
    before = len(installation.requests())
    installation.tree.command("campaign", "resume", str(campaign), "--json")
    installation.await_campaign(campaign)
    times = [request["at"] for request in installation.requests()[before:]]
    return times[-1] - times[0] + latency


def one_by_one(installation: Installation, latency: float, count: int = ONE_BY_ONE) -> float:
    """Messages a second of the old way: a request for each, without even keeping a record."""
    installation.switch(latency=latency)
    body = {"text": "x", "type": "sms_premium", "purpose": "alert", "sender": NUMBER}
    url = f"{installation.tree.sandbox}/v1/public/sms-campaign/send"
    with requests.Session() as session:
        session.headers.update({"api-login": LOGIN, "api-key": KEY})
        begun = time.monotonic()
        for n in range(count):
            session.post(url, json=body | {"recipients": [{"phone_number": f"+3369{n:07d}"}]}, timeout=60)
        return count / (time.monotonic() - begun)
