"""The short version of the fault suite: every kind once, counted like the long one."""

import pytest

from tests.faults.kinds import kinds_on
from tests.faults.suffering import suffer

pytestmark = [pytest.mark.tree, pytest.mark.faults]

ROUNDS = 1
# A fault that lasts a minute in the long version lasts this long here.
SECONDS = 2.0


def pytest_generate_tests(metafunc):
    metafunc.parametrize("kind", kinds_on(metafunc.config.getoption("--database")))


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_is_doubled(kind, request):
    tally = suffer(kind, request.config.getoption("--database"), ROUNDS, "short", SECONDS)
    assert tally.rounds == ROUNDS
    assert tally.messages > 0
    assert tally.is_clean, tally
