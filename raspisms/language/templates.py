"""Personal texts: an SMS with the data of the person who gets it."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError

from . import limits
from .environment import Language
from .mistakes import TOO_BIG, TOO_DEEP, UNREADABLE, Mistake
from .values import Fields

# Halves of characters, and the character that ends a text in many programs.
UNSENDABLE = re.compile("[\ud800-\udfff\0]")
MARKS = re.compile(r"\{[{%#]")


@functools.cache
def _language() -> Language:
    return Language(by_character=False)


def is_personal(text: str) -> bool:
    """Whether the text has marks that are filled for each person."""
    return MARKS.search(text) is not None


class Template:
    """A text that was read once and is filled for many people."""

    def __init__(self, source: str) -> None:
        """Raises Mistake, whose place is a line of the text."""
        language = _language()
        tree = language.checked(source)
        try:
            self._template = language.from_string(tree)
        except (TemplateSyntaxError, SyntaxError, TypeError, ValueError) as error:
            raise Mistake(UNREADABLE) from error
        except (RecursionError, MemoryError) as error:
            raise Mistake(TOO_DEEP) from error

    def fill(self, data: Mapping[str, Any], metas: Mapping[str, Any], missed: set[str] | None = None) -> str:
        """The text for one person; keys that this person has not are added to `missed`.

        Raises Mistake, with its line, for what cannot be computed or takes too long.
        """
        limits.begin()
        context = _language().context(self._template, Fields(data, missed), Fields(metas, missed))
        pieces: list[str] = []
        size = 0
        try:
            for piece in self._template.root_render_func(context):
                size += len(piece)
                if size > limits.CHARACTERS:
                    raise Mistake(TOO_BIG)
                pieces.append(piece)
        except Mistake as error:
            error.place = error.place or self._line(error.__traceback__)
            raise
        except RecursionError as error:
            raise Mistake(TOO_DEEP) from error
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise Mistake(UNREADABLE, self._line(sys.exception().__traceback__)) from error  # type: ignore[union-attr]
        return UNSENDABLE.sub("", "".join(pieces))

    def _line(self, trace: TracebackType | None) -> int | None:
        """The line of the text at which its own code stopped."""
        line = None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._template.filename or "<template>" in str(
                trace.tb_frame.f_code.co_filename
            ):
                line = self._template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
        return line
