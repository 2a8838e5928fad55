"""The short version of the fault suite: every kind once, counted like the long one."""

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


class Worn:
    """An installation that suffers one kind after the other: to start one for each takes as long as the fault.

    What was not clean is not used again: the next kind would be judged by it.
    """

    def __init__(self, database):
        self.database, self.kept, self.installation = database, ExitStack(), None

    def suffer(self, kind):
        if self.installation is None:
            self.installation = self.kept.enter_context(installed(self.database))
        self.installation.forget_faults()
        try:
            tally = suffer_on(self.installation, kind, ROUNDS, f"short {kind}", SECONDS)
        except BaseException:
            self.end()
            raise
        if not tally.is_clean:
            self.end()
        return tally

    def end(self):
        self.installation = None
        self.kept.close()


@pytest.fixture(scope="session")
def worn(request):
    made = Worn(request.config.getoption("--database"))
    yield made
    made.end()


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_is_doubled(kind, request, worn):
    if KINDS[kind].needs_its_own:
        tally = suffer(kind, request.config.getoption("--database"), ROUNDS, "short", SECONDS)
    else:
        tally = worn.suffer(kind)
    assert tally.rounds == ROUNDS
    assert tally.messages > 0
    assert tally.is_clean, tally
