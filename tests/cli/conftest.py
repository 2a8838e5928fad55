"""Commands as scripts call them: real processes, real files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import commands
from tests.databases import url_of

CASES = Path(__file__).parent.parent / "people" / "cases"
RASPISMS = [sys.executable, "-m", "raspisms"]


@pytest.fixture
def raspisms(tmp_path, octopush, database):
    """Run a command on an instance that nothing else runs for."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("RASPISMS_", "LC_", "LANG"))}
    environ |= {"RASPISMS_INSTANCE": str(tmp_path / "instance"), "RASPISMS_OCTOPUSH_URL": octopush.url}
    environ |= database.blank(tmp_path / "instance")

    def run(*arguments, status=0, stdin=None, **more):
        if more:  # what it reads of its environment while it is imported
            done = subprocess.run(
                [*RASPISMS, *arguments],
                env=environ | more,
                cwd=tmp_path,
                timeout=60,
                capture_output=True,
                text=True,
                input=stdin,
                check=False,
            )
            code, output, errors = done.returncode, done.stdout, done.stderr
        else:
            code, output, errors = commands.run(arguments, environ, tmp_path, stdin)
        assert code == status, output + errors
        return output if status == 0 else errors

    run.instance = tmp_path / "instance"
    run.database = url_of(environ)
    return run
