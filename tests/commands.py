"""Commands as processes that need not import the program anew: they are forked from one that has, single-threaded."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing import forkserver
from pathlib import Path

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["raspisms.cli", "raspisms.cli.up", "raspisms.supervisor.services", "raspisms.blueprints", "raspisms.jobs"]
)


def run(arguments, environ, folder: Path, stdin=None):
    """Run a command in a process of its own: its status, and what it wrote to standard output and error."""
    files = [folder / name for name in ("stdin", "stdout", "stderr")]
    files[0].write_text(stdin or "")
    _serve()
    process = SERVER.Process(target=_be_the_command, args=(arguments, environ, folder, files))
    process.start()
    process.join(60)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError("it took more than a minute")
    return process.exitcode, files[1].read_text(), files[2].read_text()


class Started:
    """A command under way, with what tests ask of a `subprocess.Popen`."""

    def __init__(self, process):
        self._process, self.pid = process, process.pid

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        """How it ended; None while it runs."""
        self._process.join(0)
        return self.returncode

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("raspisms", timeout)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def start(arguments, environ, folder: Path, log: Path):
    """Begin a command that goes on. Its folder tells its processes from others': a fork's environment is not seen."""
    folder.mkdir(parents=True, exist_ok=True)
    _serve()
    process = SERVER.Process(target=_be_the_command, args=(arguments, environ, folder, [os.devnull, log, log], True))
    process.start()
    return Started(process)


@functools.cache
def _serve():
    """Begin the process that commands are forked from, without the language of whoever runs the tests."""
    kept = dict(os.environ)
    try:
        for name in [name for name in kept if name.startswith(("LC_", "LANG"))]:
            del os.environ[name]
        forkserver.ensure_running()
    finally:
        os.environ.update(kept)


def _be_the_command(arguments, environ, folder, files, appends=False):
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    for number, file in enumerate(files):
        how = os.O_APPEND if appends else os.O_TRUNC if number else 0
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT | how), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - multiprocessing gave another one
    from raspisms.cli import main

    main(arguments, prog_name="raspisms")
