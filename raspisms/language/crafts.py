"""Rules and texts as the workshop's child works on them: many people at a time, and only what JSON can hold."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from .mistakes import Mistake
from .rules import Rule
from .templates import Template

# Results that are sent as one: fewer are work for the connection, more would share one limit of time.
TOGETHER = 25

People = list[tuple[Mapping[str, Any], Mapping[str, Any]]]
"""Of each person the data and what RaspiSMS knows of them."""


@functools.lru_cache(maxsize=32)
def _template(source: str) -> Template:
    return Template(source)


@functools.lru_cache(maxsize=32)
def _rule(source: str) -> Rule:
    return Rule(source)


def texts(payload: tuple[str, People]) -> Iterator[Any]:
    """First whether the text can be read, then for some people at a time [text, missing keys], or what is wrong."""
    source, people = payload
    try:
        template = _template(source)
    except Mistake as mistake:
        yield told(mistake)
        return
    yield None
    for some in _some(people):
        yield [_filled(template, data, metas) for data, metas in some]


def _filled(template: Template, data: Mapping[str, Any], metas: Mapping[str, Any]) -> Any:
    missed: set[str] = set()
    try:
        return [template.fill(data, metas, missed), sorted(missed)]
    except Mistake as mistake:
        return told(mistake)


def rules(payload: tuple[str, People]) -> Iterator[Any]:
    """First whether the rule can be read, then for some people at a time whether it holds."""
    source, people = payload
    try:
        rule = _rule(source)
    except Mistake as mistake:
        yield told(mistake)
        return
    yield None
    for some in _some(people):
        yield [rule.holds(data, metas) for data, metas in some]


def _some(people: People) -> Iterator[People]:
    return (people[start : start + TOGETHER] for start in range(0, len(people), TOGETHER))


def told(mistake: Mistake) -> dict[str, Any]:
    """A mistake for the way out."""
    return {"sentence": mistake.sentence, "place": mistake.place, "values": mistake.values}
