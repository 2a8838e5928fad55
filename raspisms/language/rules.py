"""Rules of conditional groups: a condition on the data of a contact."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from jinja2 import TemplateSyntaxError

from ..storage.transactions import INTERRUPTIONS
from . import limits
from .environment import Language
from .mistakes import TOO_DEEP, UNFINISHED, UNREADABLE, Mistake
from .values import Fields


@functools.cache
def _language() -> Language:
    return Language(by_character=True)


class Rule:
    """A condition that was read once and is asked about many contacts.

    RaspiSMS's rules keep their meaning (docs/guide-campagnes.md): `&&`, `||`, `!`, `matches`, `? :`,
    a missing key is null, and what cannot be computed for somebody is false for them.
    """

    def __init__(self, source: str) -> None:
        """Raises Mistake, whose place is a character of the rule."""
        text = " ".join(source.split("\n"))
        if not text.strip():
            raise Mistake(UNFINISHED, 1)
        language = _language()
        tree = language.checked_expression(text)
        try:
            self._template = language.from_string(tree)
        except (TemplateSyntaxError, SyntaxError, TypeError, ValueError) as error:
            raise Mistake(UNREADABLE) from error
        except (RecursionError, MemoryError) as error:
            raise Mistake(TOO_DEEP) from error

    def holds(self, data: Mapping[str, Any], metas: Mapping[str, Any]) -> bool:
        """Whether it is true of a contact: its free data, and its name, number and dates."""
        try:
            return bool(self.value(data, metas))
        except INTERRUPTIONS:
            raise
        except Exception:  # whatever it is, it is not true of this contact
            return False

    def value(self, data: Mapping[str, Any], metas: Mapping[str, Any]) -> Any:
        """What the expression gives for one contact. Raises Mistake."""
        limits.begin()
        context = _language().context(self._template, Fields(data), Fields(metas))
        try:
            for _ in self._template.root_render_func(context):
                pass
        except RecursionError as error:
            raise Mistake(TOO_DEEP) from error
        return context.vars["result"]
