"""Rules and texts for everybody but the workshop's child: read and computed there, never here."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .. import workshop
from .crafts import TOGETHER as AT_A_TIME
from .mistakes import TOO_LONG, Mistake

# What our own budget does not stop within a second, the kernel does later; results come a few people at a time.
MEMORY = 192 * 1024 * 1024
TOGETHER = 500


def _limits(people: int) -> workshop.Limits:
    return workshop.Limits(seconds=1.5 + min(people, AT_A_TIME), memory=MEMORY)


Person = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The data of a contact, and what RaspiSMS knows of them."""


@dataclass(frozen=True)
class Filled:
    """A text as one person gets it."""

    text: str
    missing: list[str]
    """Keys that this person has not."""


@dataclass(frozen=True)
class Begun:
    """What a child is working on."""

    people: list[Person]
    asked: workshop.Asked


class Text:
    """A personal text."""

    def __init__(self, source: str) -> None:
        """Raises Mistake, whose place is a line of the text."""
        self.source = source
        for _ in _answers(workshop.ask("text", (source, []), _limits(0))):
            pass

    def fill(self, data: Mapping[str, Any], metas: Mapping[str, Any]) -> Filled:
        """The text for one person. Raises Mistake."""
        [found] = self.fill_many([(data, metas)])
        if isinstance(found, Mistake):
            raise found
        return found

    def fill_many(self, people: Iterable[Person]) -> Iterator[Filled | Mistake]:
        """The text for each of them, or what is wrong with it for that person."""
        asked = (self.begin(some) for some in _some(people))
        return itertools.chain.from_iterable(map(self.filled, asked))

    def begin(self, people: list[Person]) -> Begun:
        """Have it filled for some people, from now on; `filled` gives what comes of it."""
        return Begun(people, workshop.ask("text", (self.source, people), _limits(len(people))))

    def filled(self, begun: Begun) -> Iterator[Filled | Mistake]:
        """The text for each of them, or what is wrong with it for that person."""
        done = 0
        try:
            for found in _answers(begun.asked):
                done += 1
                yield _mistake(found) if isinstance(found, dict) else Filled(found[0], found[1])
        except Stopped:  # what cost this person's text its child would cost the next one's another
            for _ in begun.people[done:]:
                yield Mistake(TOO_LONG)


class Condition:
    """The rule of a conditional group."""

    def __init__(self, source: str) -> None:
        """Raises Mistake, whose place is a character of the rule."""
        self.source = source
        for _ in _answers(workshop.ask("rule", (source, []), _limits(0))):
            pass

    def hold_many(self, people: Iterable[Person]) -> Iterator[bool]:
        """Whether it is true of each of them. Raises Mistake when that takes too long."""
        for some in _some(people):
            yield from self.held(self.begin(some))

    def begin(self, people: list[Person]) -> Begun:
        """Have some people looked at, from now on; `held` gives what comes of it."""
        return Begun(people, workshop.ask("rule", (self.source, people), _limits(len(people))))

    def held(self, begun: Begun) -> Iterator[bool]:
        """Whether it is true of each of them. Raises Mistake when that takes too long."""
        try:
            yield from map(bool, _answers(begun.asked))
        except Stopped as error:
            raise Mistake(TOO_LONG) from error


class Stopped(Exception):
    """The child was ended in the middle of people."""


Chunk = TypeVar("Chunk")


def ahead(chunks: Iterable[Chunk], begin: Callable[[Chunk], list[Begun]]) -> Iterator[tuple[Chunk, list[Begun]]]:
    """Each chunk with what was begun for it, the next one begun before: the child works while the caller does.

    Whatever is begun and not read when the caller stops is given up.
    """
    under_way: list[tuple[Chunk, list[Begun]]] = []
    try:
        for chunk in chunks:
            under_way.append((chunk, begin(chunk)))
            if len(under_way) > 1:
                yield under_way.pop(0)
        while under_way:
            yield under_way.pop(0)
    finally:
        for _, begun in under_way:
            for one in begun:
                one.asked.close()


def _answers(asked: workshop.Asked) -> Iterator[Any]:
    """What the child says of each person. Raises Mistake for the source itself, and Stopped."""
    is_read, mistake = False, None
    try:
        for found in asked:
            if is_read:
                yield from found
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
