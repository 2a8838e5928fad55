"""Names as they are stored: without numbers, dates and markup that lists put beside them."""

from __future__ import annotations

import re

from ...sms import phone_numbers
from ...sms.numbers_in_text import DATE, numbers_in

TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
# What programs write for nobody.
NOBODY = frozenset({"null", "none", "nan", "n/a", "na", "-", "--", "?", "undefined", "inconnu", "sans nom", "vide"})
# A date or a number has as many; "Martin 2" is a name.
MANY_DIGITS = re.compile(r"(?:\d\D*){6}")
EMPTY_BRACKETS = re.compile(r"[(\[{<]\s*[)\]}>]")
EDGES = ' \t,;:|/=<>"•*·–—-_'


def cleaned(written: str) -> str:
    """A name without what is none; empty for what says that there is no name."""
    name = TAG.sub(" ", written) if "<" in written else written
    if MANY_DIGITS.search(name):
        rest = DATE.sub(" ", phone_numbers.typed(name))
        for one in reversed(numbers_in(rest)):
            rest = f"{rest[: one.start]} {rest[one.end :]}"
        if rest != phone_numbers.typed(name):
            name = EMPTY_BRACKETS.sub(" ", rest).strip(EDGES)
    name = " ".join(name.split())
    return "" if name.casefold() in NOBODY else name
