"""The short version of the fault suite: every kind once, counted like the long one."""

import functools
from contextlib import ExitStack

import pytest

from tests.faults.kinds import KINDS, kinds_on
from tests.faults.suffering import installed, suffer, suffer_on

pytestmark = [pytest.mark.tree, pytest.mark.faults]

ROUNDS = 1
# A fault that lasts a minute in the long version lasts this long here.
SECONDS = 2.0


def pytest_generate_tests(metafunc):
    metafunc.parametrize("kind", kinds_on(metafunc.config.getoption("--database")))


@pytest.fixture(scope="session")
def worn(request):
    """An installation that suffers one kind after the other: to start one for each takes as long as the fault."""
    with ExitStack() as kept:
        yield functools.cache(lambda: kept.enter_context(installed(request.config.getoption("--database"))))


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_is_doubled(kind, request, worn):
    database = request.config.getoption("--database")
    if KINDS[kind].needs_its_own:
        tally = suffer(kind, database, ROUNDS, "short", SECONDS)
    else:
        tally = suffer_on(worn(), kind, ROUNDS, f"short {kind}", SECONDS)
    assert tally.rounds == ROUNDS
    assert tally.messages > 0
    assert tally.is_clean, tally
