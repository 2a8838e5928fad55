"""The two entry points that any WSGI server may be given."""

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import wsgi
print(len(list(wsgi.app.url_map.iter_rules())) > 10, [rule.endpoint for rule in wsgi.callbacks.url_map.iter_rules()])
"""


def test_wsgi_offers_the_pages_and_the_callbacks(tmp_path):
    environ = os.environ | {"RASPISMS_INSTANCE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE],
        env=environ,
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "True ['callbacks.receive']", done.stderr
