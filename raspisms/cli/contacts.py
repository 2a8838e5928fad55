"""raspisms contacts: lists of people in and out, without a browser."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from ..extensions import db
from ..i18n import N_, say
from ..models import Import, ImportLine, ImportState, Verdict
from ..people import contact_list, contacts, exports, imports
from ..people.reading import Choice, Role
from ..people.reading.columns import MOST_COLUMNS
from ..people.reading.headings import words
from ._app import fail, with_app

# A worker of a running installation may do a part of it: this is how often its end is looked for.
LOOK_SECONDS = 0.1
# What is shown of a list in a terminal.
SHOWN = 20
ROLES = [role.value for role in Role]


@click.group("contacts", help=say(N_("Les contacts : importer une liste, exporter.")))
def contacts_group() -> None:
    pass


@contacts_group.command(
    "import", help=say(N_("Lit une liste et dit ce qui en a été compris ; l’enregistre avec --apply."))
)
@click.argument("path", metavar="FILE")
@click.option("--sheet", help=say(N_("Nom de la feuille à lire.")))
@click.option("--header", type=click.IntRange(min=0), help=say(N_("Numéro de la ligne des titres ; 0 sans titres.")))
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="COLUMN=KEY",
    help=say(
        N_("Ce qu’est une colonne (son titre ou son rang) : %(roles)s, ou le nom d’une donnée."), roles=", ".join(ROLES)
    ),
)
@click.option("--apply", is_flag=True, help=say(N_("Enregistre les contacts ; sans cela, rien ne change.")))
@click.option("--json", "as_json", is_flag=True)
@with_app
def import_(
    path: str, sheet: str | None, header: int | None, mapping: tuple[str, ...], apply: bool, as_json: bool
) -> None:
    content = _content(path)
    columns = _columns(mapping)
    choice = Choice(sheet, header, columns) if sheet is not None or header is not None or columns else None
    name = say(N_("entrée standard")) if path == "-" else Path(path).name
    expected, is_applied = imports.expect(name, None), False
    try:
        found = _until(imports.receive(expected, content, choice).id, ImportState.READY)
        _check_choice(found, columns)
        report = _report(found)
        if apply:
            imports.apply(found.id)
            is_applied = True
            _until(found.id, ImportState.APPLIED)
    except imports.Refused as error:
        fail(str(error))
    finally:
        if not is_applied:  # whatever ended it, nothing is left
            imports.drop(expected.id)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        _print(report, applied=apply)


@contacts_group.command(help=say(N_("Écrit tous les contacts sur la sortie standard, en CSV ou en JSON.")))
@click.option("--json", "as_json", is_flag=True)
@click.option("--csv", "as_csv", is_flag=True)
@with_app
def export(as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        fail(N_("Choisissez --json ou --csv, l’un ou l’autre."))
    people = contact_list.everybody(contact_list.matching())
    for piece in exports.as_json(people) if as_json else exports.as_csv(people):
        click.echo(piece, nl=False)


def _content(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        fail(N_("Le fichier %(path)s ne peut pas être lu : %(reason)s."), path=path, reason=error.strerror or "?")


def _columns(mapping: tuple[str, ...]) -> dict[str, str]:
    """What was said of columns: by heading, or by rank from 1 as people count."""
    columns = {}
    for one in mapping:
        name, equals, key = one.rpartition("=")
        if not equals or not name.strip() or not (key.strip() in ROLES or contacts.clean_key(key)):
            fail(N_("« %(one)s » n’est pas de la forme COLONNE=CLÉ."), one=one)
        is_rank = name.isascii() and name.isdecimal()
        if is_rank and not 0 < int(name[:9]) <= MOST_COLUMNS:
            fail(N_("Aucune colonne ne s’appelle « %(name)s »."), name=name)
        columns[str(int(name) - 1) if is_rank else name] = key.strip()
    return columns


def _check_choice(found: Import, columns: dict[str, str]) -> None:
    """A column that is not there is a slip of whoever typed its name; so is a sheet."""
    if found.reason:
        fail(found.reason)
    there = (found.layout or {}).get("columns", [])
    known = {" ".join(words(column["heading"])) for column in there} | {str(column["at"]) for column in there}
    for name in columns:
        if name not in known and " ".join(words(name)) not in known:
            fail(N_("Aucune colonne ne s’appelle « %(name)s »."), name=name)


def _until(import_id: int, wanted: ImportState) -> Import:
    """Do what the import needs, or let a worker that was quicker do it, until it is where it should be."""
    while True:
        imports.work(import_id)
        db.session.rollback()
        db.session.expire_all()
        found = db.session.get(Import, import_id)
        if found is None:
            fail(N_("Cet import n’existe pas."))
        if found.state is wanted:
            return found
        if found.state is ImportState.UNREADABLE:
            reason, line = say(str(found.reason)), found.reason_line
            fail(N_("Ligne %(line)s : %(reason)s"), line=line, reason=reason) if line else fail(reason)
        if not found.is_working:
            fail(N_("Quelqu’un d’autre a décidé de cet import entre-temps."))
        time.sleep(LOOK_SECONDS)


def _report(found: Import) -> dict[str, Any]:
    """What the command gives as JSON; the names in it stay."""
    lines = list(_lines(found.id))
    layout = found.layout or {}
    counts = dict.fromkeys(("new", "known", "changed", "repaired", "double", "left_out", "wrong"), 0)
    for line in lines:
        counts[line["verdict"]] += 1
    return {
        "lines": lines,
        "counts": counts,
        "sheets": layout.get("sheets", []),
        "sheet": layout.get("sheet", ""),
        "header": layout.get("header", 0),
        "columns": layout.get("columns", []),
        "said": [say(sentence, **values) for sentence, values in layout.get("said", [])],
    }


def _lines(import_id: int) -> Iterator[dict[str, Any]]:
    query = select(ImportLine).where(ImportLine.import_id == import_id).order_by(ImportLine.id)
    for line in db.session.scalars(query.execution_options(yield_per=1_000)):
        is_repaired = line.repaired and line.verdict is Verdict.NEW
        yield {
            "line": line.line,
            "number": line.number or line.raw["number"],
            "name": line.name,
            "data": contacts.clean_data(line.raw["data"]),
            "verdict": "repaired" if is_repaired else line.verdict.value,
            "sentence": " ".join(_sentences(line)),
            "consent": line.raw.get("agreed"),
            "proof": line.raw.get("proof", ""),
        }
        db.session.expunge(line)


def _sentences(line: ImportLine) -> Iterator[str]:
    if line.reason:
        yield say(line.reason)
    for sentence, values in line.raw.get("said", []):
        if sentence != line.reason:
            yield say(sentence, **values)


def _print(report: dict[str, Any], *, applied: bool) -> None:
    for sentence in report["said"]:
        click.echo(sentence)
    for line in report["lines"][:SHOWN]:
        click.echo(
            f"{line['line']:>6}  {line['verdict']:<9} {line['number']:<16} {line['name']}  {line['sentence']}".rstrip()
        )
    if len(report["lines"]) > SHOWN:
        click.echo("     …")
    click.echo(", ".join(f"{name} {count}" for name, count in report["counts"].items() if count))
    if not applied:
        click.echo(say(N_("Rien n’est enregistré : ajoutez --apply pour importer.")))
