"""Commands as processes that need not import the program anew: they are forked from one that has, single-threaded."""

from __future__ import annotations

import functools
import multiprocessing
import os
import sys
from multiprocessing import forkserver
from pathlib import Path

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["raspisms.cli"])


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


def _be_the_command(arguments, environ, folder, files):
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if number else 0)), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - multiprocessing gave another one
    from raspisms.cli import main

    main(arguments, prog_name="raspisms")
