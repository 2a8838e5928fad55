"""A bar chart of the campaigns' rates, as SVG: no library, since it is a dozen rectangles."""

from __future__ import annotations

import math

WIDTH, LEFT, TOP, BAR, GAP = 720, 210, 56, 22, 10
OURS, OLD, LIMIT = "#1a6b54", "#9aa5a1", "#c8553d"


def chart_of(numbers: dict[str, float]) -> str:
    """Messages a second on a logarithmic scale: the limit, ours, and one request per recipient."""
    rows = list(_rows(numbers))
    largest = max((value for _, value, _ in rows), default=1.0)
    height = TOP + len(rows) * (BAR + GAP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        ' font-family="system-ui, sans-serif" font-size="13">',
        "<title>Messages a second, by provider latency</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        '<text x="16" y="24" font-size="16" font-weight="600">Campaign of 20,000: messages a second</text>',
        '<text x="16" y="42" fill="#555">logarithmic scale; “limit” is one request of 500 at a time</text>',
    ]
    for position, (label, value, colour) in enumerate(rows):
        y = TOP + position * (BAR + GAP)
        width = max(2.0, (WIDTH - LEFT - 90) * math.log10(max(value, 1.01)) / math.log10(largest))
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{label}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{width:.0f}" height="{BAR}" rx="3" fill="{colour}"/>',
            f'<text x="{LEFT + width + 8:.0f}" y="{y + 16}">{value:,.0f}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rows(numbers: dict[str, float]):
    for milliseconds in (0, 50, 150):
        if f"ours at {milliseconds} ms" not in numbers:
            continue
        if milliseconds:
            yield f"{milliseconds} ms: limit", 500_000 / milliseconds, LIMIT
        yield f"{milliseconds} ms: RaspiSMS", numbers[f"ours at {milliseconds} ms"], OURS
        yield f"{milliseconds} ms: one by one", numbers[f"one by one at {milliseconds} ms"], OLD
