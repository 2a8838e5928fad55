"""What the drawing of the figures says: only what left is sent, and a year is drawn by weeks."""

from datetime import date, timedelta

from raspisms.figures.days import Figures
from raspisms.models import Status
from raspisms.web.chart import chart

FIRST = date(2026, 3, 2)


def figures(**days):
    found = Figures()
    for ahead, (sent, received) in days.items():
        day = FIRST + timedelta(days=int(ahead[1:]))
        found.days[day], found.received_days[day] = sent, received
    return found


def test_what_never_left_is_drawn_and_not_called_sent():
    found = figures(_0=({Status.DELIVERED: 3, Status.CANCELLED: 2, Status.QUEUED: 1}, 1))
    [day] = chart(found, FIRST, FIRST).days
    assert (day.sent, day.received) == (3, 1)
    assert {piece.kind: piece.number for piece in day.pieces} == {
        "delivered": 3,
        "cancelled": 2,
        "queued": 1,
        "received": 1,
    }
    assert all(piece.y > -0.001 and piece.y + piece.height <= 100.001 for piece in day.pieces)


def test_a_year_has_a_bar_for_each_week_and_loses_no_day():
    found = figures(_0=({Status.SENT: 1}, 2), _6=({Status.SENT: 3}, 0), _7=({Status.FAILED: 5}, 0))
    drawn = chart(found, FIRST, FIRST + timedelta(days=365))
    assert drawn.by_week
    assert [(one.day, one.sent, one.received) for one in drawn.days[:2]] == [
        (FIRST, 4, 2),
        (FIRST + timedelta(days=7), 5, 0),
    ]
    assert len(drawn.days) == 53
    assert not chart(found, FIRST, FIRST + timedelta(days=30)).by_week


def test_what_is_usual_counts_the_days_on_which_nothing_happened():
    tuesdays = {f"_{7 * week}": ({Status.SENT: 40} if week == 1 else {}, 4 * week) for week in (0, 1)}
    found = figures(**tuesdays)
    assert found.usual(FIRST + timedelta(days=28)) == (0, 0)
    assert found.usual(FIRST + timedelta(days=14)) == (20, 2)
    assert Figures().usual(FIRST) == (0, 0)
