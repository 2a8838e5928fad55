"""python -m bench [interactive] [campaigns]: what a person waits for, and what a list of people takes."""

from __future__ import annotations

import sys

from . import campaigns, interactive

PARTS = {"interactive": interactive.main, "campaigns": campaigns.main}

for name in sys.argv[1:] or PARTS:
    PARTS[name]()
