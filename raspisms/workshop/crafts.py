"""What a child can be asked to do: names, and the functions behind them."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from typing import Any

# By name, since they lie in layers above: each takes a payload and gives results that JSON can hold, one by one.
CRAFTS = {
    "text": "raspisms.language.crafts:texts",
    "rule": "raspisms.language.crafts:rules",
    "list": "raspisms.people.reading.reader:craft",
}


@functools.cache
def craft(name: str) -> Callable[[Any], Iterator[Any]]:
    """The function behind a name. Raises KeyError."""
    module, _, function = CRAFTS[name].partition(":")
    found: Callable[[Any], Iterator[Any]] = getattr(importlib.import_module(module), function)
    return found
