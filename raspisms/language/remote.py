"""Rules and texts for everybody but the workshop's child: read and computed there, never here."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import workshop
from .mistakes import TOO_LONG, Mistake

# For one person. What our own budget does not stop within a second, the kernel does a little later.
LIMITS = workshop.Limits(seconds=1.5, memory=192 * 1024 * 1024)
TOGETHER = 500

Person = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The data of a contact, and what RaspiSMS knows of them."""


@dataclass(frozen=True)
class Filled:
    """A text as one person gets it."""

    text: str
    missing: list[str]
    """Keys that this person has not."""


class Text:
    """A personal text."""

    def __init__(self, source: str) -> None:
        """Raises Mistake, whose place is a line of the text."""
        self.source = source
        for _ in _ask("text", source, []):
            pass

    def fill(self, data: Mapping[str, Any], metas: Mapping[str, Any]) -> Filled:
        """The text for one person. Raises Mistake."""
        [found] = self.fill_many([(data, metas)])
        if isinstance(found, Mistake):
            raise found
        return found

    def fill_many(self, people: Iterable[Person]) -> Iterator[Filled | Mistake]:
        """The text for each of them, or what is wrong with it for that person."""
        for some in _some(people):
            yield from self._fill_some(some)

    def _fill_some(self, people: list[Person]) -> Iterator[Filled | Mistake]:
        done = 0
        try:
            for found in _ask("text", self.source, people):
                done += 1
                yield _mistake(found) if isinstance(found, dict) else Filled(found[0], found[1])
        except Stopped:  # what cost this person's text its child would cost the next one's another
            for _ in people[done:]:
                yield Mistake(TOO_LONG)


class Condition:
    """The rule of a conditional group."""

    def __init__(self, source: str) -> None:
        """Raises Mistake, whose place is a character of the rule."""
        self.source = source
        for _ in _ask("rule", source, []):
            pass

    def hold_many(self, people: Iterable[Person]) -> Iterator[bool]:
        """Whether it is true of each of them. Raises Mistake when that takes too long."""
        for some in _some(people):
            try:
                yield from map(bool, _ask("rule", self.source, some))
            except Stopped as error:
                raise Mistake(TOO_LONG) from error


class Stopped(Exception):
    """The child was ended in the middle of people."""


def _ask(craft: str, source: str, people: list[Person]) -> Iterator[Any]:
    """What the child says of each person. Raises Mistake for the source itself, and Stopped."""
    is_read, mistake = False, None
    try:
        for found in workshop.ask(craft, (source, people), LIMITS):
            if is_read:
                yield found
            elif found is not None:
                mistake = _mistake(found)
            is_read = True
    except workshop.Ended as error:
        if not is_read:
            raise Mistake(TOO_LONG) from error
        raise Stopped from error
    if mistake is not None:
        raise mistake


def _mistake(told: dict[str, Any]) -> Mistake:
    return Mistake(str(told["sentence"]), told["place"], **told["values"])


def _some(people: Iterable[Person]) -> Iterator[list[Person]]:
    wanted = iter(people)
    while some := list(itertools.islice(wanted, TOGETHER)):
        yield some
