"""Rules and texts as the workshop's child works on them: many people at a time, and only what JSON can hold."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from .mistakes import Mistake
from .rules import Rule
from .templates import Template

# Results that are sent as one: fewer are work for the connection, more would share one limit of time.
TOGETHER = 25

Fields = Mapping[str, Any]
People = list[tuple[Fields, Fields]]
"""Of each person the data and what RaspiSMS knows of them."""
Read = TypeVar("Read")


@functools.lru_cache(maxsize=32)
def _template(source: str) -> Template:
    return Template(source)


@functools.lru_cache(maxsize=32)
def _rule(source: str) -> Rule:
    return Rule(source)


def texts(payload: tuple[str, People]) -> Iterator[Any]:
    """First whether the text can be read, then for some people at a time [text, missing keys], or what is wrong."""
    return _each(_template, _filled, *payload)


def rules(payload: tuple[str, People]) -> Iterator[Any]:
    """First whether the rule can be read, then for some people at a time whether it holds."""
    return _each(_rule, Rule.holds, *payload)


def _each(
    read: Callable[[str], Read], act: Callable[[Read, Fields, Fields], Any], source: str, people: People
) -> Iterator[Any]:
    try:
        found = read(source)
    except Mistake as mistake:
        yield told(mistake)
        return
    yield None
    for start in range(0, len(people), TOGETHER):
        yield [act(found, data, metas) for data, metas in people[start : start + TOGETHER]]


def _filled(template: Template, data: Fields, metas: Fields) -> Any:
    missed: set[str] = set()
    try:
        return [template.fill(data, metas, missed), sorted(missed)]
    except Mistake as mistake:
        return told(mistake)


def told(mistake: Mistake) -> dict[str, Any]:
    """A mistake for the way out."""
    return {"sentence": mistake.sentence, "place": mistake.place, "values": mistake.values}
