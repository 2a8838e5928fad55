"""What verbs say when they cannot do what somebody asked for: what is refused, which field, the sentence."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(ValueError):
    """It cannot be done, and nothing was; str(error) is a sentence (a msgid) with `values`, `field` whose it is."""

    def __init__(self, sentence: str, field: str = "", values: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.field = field
        self.values = dict(values or {})


class Invalid(ValueError):
    """What was typed cannot be; `errors` has a sentence (a msgid) for each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors
