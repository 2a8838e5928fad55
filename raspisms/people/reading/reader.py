"""A file or a text, whatever its format: how it was understood, and everybody in it. For the workshop's child."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ...i18n import N_
from ...sms import phone_numbers
from . import columns, encodings, json_lists, pasted, rows, sources, tables, workbooks
from .lines import Choice, Layout, Line, Reading, Row, Unreadable

MOST_LINES = 200_000
SHOWN_ROWS, SHOWN_CHARACTERS = 12, 80
NOBODY = N_("Aucune personne n’a été trouvée : il faut au moins une colonne de numéros.")
TOO_MANY = N_("Ce fichier a plus de 200 000 lignes : partagez-le en plusieurs.")
ABOVE = N_("Des lignes au-dessus des titres ne sont pas reprises (%(count)s).")
ONE_SHEET = N_("La feuille « %(sheet)s » est lue ; les autres ne le sont pas : %(others)s.")


def craft(payload: tuple[bytes, dict[str, Any] | None, tuple[str, ...]]) -> Iterator[Any]:
    """What the workshop's child does of a file, or of a pasted text: first how it was understood, then a list for each
    person; or {sentence, line} for what is wrong with all of it."""
    content, chosen, countries = payload
    count, choice = 0, Choice(**chosen) if chosen else None
    with phone_numbers.reading_as(countries):
        try:
            layout, lines = understand(content, choice or Choice())
            yield {"layout": layout.as_dict()}
            for one in lines:
                count += 1
                if count > MOST_LINES:
                    raise Unreadable(TOO_MANY)
                more = [one.agreed, one.proof, one.agreed_on, one.said] if one.proof or one.said else []
                yield [one.line, one.name, one.number, one.data, *more]
            if not count and choice is None:  # who chose how it is read can choose again
                raise Unreadable(NOBODY)
        except Unreadable as error:
            yield {"sentence": str(error), "line": error.line}


def read(content: bytes, choice: Choice | None = None) -> Reading:
    """Everybody in a file, whatever its format. Raises Unreadable."""
    layout, lines = understand(content, choice or Choice())
    found = Reading(layout, list(lines))
    if not found.lines and choice is None:
        raise Unreadable(NOBODY)
    return found


def read_text(text: str) -> Reading:
    """Everybody in a pasted list. Raises Unreadable."""
    return read(text.encode("utf-8", "replace"))


def understand(content: bytes, choice: Choice) -> tuple[Layout, Iterator[Line]]:
    """How a file is understood, and everybody in it, one after the other. Raises Unreadable."""
    if workbooks.is_workbook(content):
        return _of_table(sources.workbook(content, choice), choice)
    found = encodings.decode(content)
    text, said = found.text, found.said
    if json_lists.is_json(text):
        text = json_lists.as_lines(text) or text
    source = sources.text(text, choice, said)
    if source is None:
        return _of_text(text, said), iter(pasted.read(text))
    return _of_table(source, choice)


def _of_table(source: sources.Source, choice: Choice) -> tuple[Layout, Iterator[Line]]:
    sheet = source.sheet
    sheet.rows = [(line, cells[: columns.MOST_COLUMNS]) for line, cells in sheet.rows]
    header = columns.header_of(sheet, choice)
    tables.stack(sheet, header)
    found = columns.columns_of(sheet, header, choice)
    said = list(source.said)
    if len(source.names) > 1:
        others = ", ".join(f"« {name} »" for name in source.names if name != sheet.name)
        said.append((ONE_SHEET, {"sheet": sheet.name, "others": others}))
    above = sum(1 for line, cells in sheet.rows if line < header and sum(map(bool, cells)) > 1)
    if above:
        said.append((ABOVE, {"count": str(above)}))
    layout = Layout(source.names, sheet.name, header, sheet.headings is not None, found, _head(sheet.rows), said)
    return layout, rows.people(sheet, header, found)


def _head(some: list[Row]) -> list[Row]:
    filled = ((line, [cell[:SHOWN_CHARACTERS] for cell in cells]) for line, cells in some if any(cells))
    return list(itertools.islice(filled, SHOWN_ROWS))


def _of_text(text: str, said: list[tuple[str, dict[str, str]]]) -> Layout:
    lines = [(number, [line.strip()]) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    return Layout(head=_head(lines), said=said)
