"""Whoever wants to write gets their turn: across processes and threads, and whatever long job is under way."""

import threading
import time
from contextlib import ExitStack
from multiprocessing import get_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.models import Heartbeat
from raspisms.storage import stride
from raspisms.storage.stride import Stride
from raspisms.storage.transactions import StorageUnavailable, transaction
from raspisms.storage.writers import Busy, Lane, Writers
from tests.factories import until


def greedy(path, ended, lane):
    """A job that writes chunk after chunk, with no pause in between."""
    writers = Writers(path)
    while not ended.is_set():
        with writers.turn(10, lane):
            time.sleep(0.02)


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_person_waits_for_two_steps_of_long_jobs_at_most(tmp_path, jobs):
    context = get_context("fork")
    ended = context.Event()
    path = tmp_path / "raspisms.db"
    processes = [context.Process(target=greedy, args=(path, ended, Lane.BULK)) for _ in range(jobs)]
    for process in processes:
        process.start()
    waits = []
    try:
        until((tmp_path / "raspisms.db-turn").exists)
        for _ in range(25):
            begun = time.monotonic()
            with Writers(path).turn(5, Lane.PEOPLE):
                waits.append(time.monotonic() - begun)
    finally:
        ended.set()
        for process in processes:
            process.join(10)
    # A shared machine may stall; the middle one shows the rule: the step under way, and one more.
    assert sorted(waits)[len(waits) // 2] < 3 * 0.02


def test_jobs_let_people_pass_and_are_not_stopped_by_them(tmp_path):
    path = tmp_path / "raspisms.db"
    ended, turns = threading.Event(), []

    def people():
        while not ended.is_set():
            with Writers(path).turn(10, Lane.PEOPLE):
                time.sleep(0.005)

    crowd = [threading.Thread(target=people) for _ in range(3)]
    for one in crowd:
        one.start()
    try:
        for _ in range(3):
            with Writers(path).turn(10, Lane.JOB):
                turns.append(1)
    finally:
        ended.set()
        for one in crowd:
            one.join()
    assert len(turns) == 3


def test_threads_of_one_process_queue_as_well(tmp_path):
    inside, most = [], []

    def write():
        with Writers(tmp_path / "raspisms.db").turn(10):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.002)
            inside.pop()

    threads = [threading.Thread(target=write) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (16, 1)


def test_a_process_that_dies_gives_its_turn_back(tmp_path):
    context = get_context("fork")
    path = tmp_path / "raspisms.db"
    has_it = context.Event()

    def hold():
        with Writers(path).turn(1):
            has_it.set()
            time.sleep(60)

    process = context.Process(target=hold)
    process.start()
    assert has_it.wait(10)
    with pytest.raises(Busy), Writers(path).turn(0.05):
        raise AssertionError("two at a time")
    process.kill()
    process.join(10)
    with Writers(path).turn(1):
        pass


def test_where_no_lock_file_can_be_made_the_database_alone_decides(tmp_path):
    entered = 0
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(Writers(tmp_path / "nowhere" / "raspisms.db").turn(0.1))
            entered += 1
    assert entered == 2
    assert not (tmp_path / "nowhere").exists()


def test_a_turn_that_does_not_come_is_a_sentence(app, tmp_path):
    path = tmp_path / "raspisms.db"
    app.extensions["writers"] = Writers(path)  # as on SQLite, whatever the database is
    app.config["LOCK_SECONDS"] = 0.05
    with (
        app.app_context(),
        Writers(path).turn(1),
        pytest.raises(StorageUnavailable, match="occupée"),
        transaction() as session,
    ):
        session.merge(Heartbeat(name="x", at=None))


@given(st.lists(st.floats(0.0001, 2.0), min_size=1, max_size=30), st.integers(1, 5_000))
def test_a_stride_stays_within_its_bounds_and_shortens_what_takes_long(seconds, first):
    clock = [0.0]
    real, stride.monotonic = stride.monotonic, lambda: clock[0]
    try:
        steps = Stride(first, most=1_000)
        for took in seconds:
            before = steps.rows
            with steps.measured() as rows:
                assert rows == before
                clock[0] += took
            assert 10 <= steps.rows <= 1_000
            if took > stride.SECONDS and before > 10:
                assert steps.rows < before
    finally:
        stride.monotonic = real
