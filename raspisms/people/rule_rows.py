"""A rule as rows that need no language: [Ville] [est] [Lyon], joined by "et" or "ou"; and back.

The written rule is what is kept. What cannot be said in rows stays written, and is nobody's loss.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from ..i18n import N_

NAME = "@name"
ANSWER = "@answer:"
"""Before the id of a campaign: what somebody answered to it."""

# Of each comparison: the rule that it is, with the subject and the value in their places.
DATA = {
    "is": "lower({subject}) == lower({value})",
    "is_not": "lower({subject}) != lower({value})",
    "contains": "lower({value}) in lower({subject})",
    "begins": "lower({subject}) starts with lower({value})",
    "known": "exists({subject})",
    "unknown": "!exists({subject})",
    "at_least": "{subject} >= {number}",
    "at_most": "{subject} <= {number}",
    "before": "date({subject}) < date({value})",
    "after": "date({subject}) > date({value})",
    "older": "date({subject}) <= date('-{number} years')",
    "younger": "date({subject}) > date('-{number} years')",
    "birthday": "is_birthday(date({subject}))",
}
ANSWERS = {answer: "{subject} == '" + answer + "'" for answer in ("yes", "no", "other", "none")}
LABELS = {
    "is": N_("est"),
    "is_not": N_("n’est pas"),
    "contains": N_("contient"),
    "begins": N_("commence par"),
    "known": N_("est renseigné"),
    "unknown": N_("n’est pas renseigné"),
    "at_least": N_("vaut au moins"),
    "at_most": N_("vaut au plus"),
    "before": N_("est avant le"),
    "after": N_("est après le"),
    "older": N_("date d’au moins (années)"),
    "younger": N_("date de moins de (années)"),
    "birthday": N_("est aujourd’hui (anniversaire)"),
    "yes": N_("a répondu oui"),
    "no": N_("a répondu non"),
    "other": N_("a répondu autre chose"),
    "none": N_("n’a pas répondu"),
}
WITHOUT_VALUE = frozenset({"known", "unknown", "birthday", *ANSWERS})
DATED = frozenset({"before", "after"})
NUMBERED = frozenset({"at_least", "at_most", "older", "younger"})

TEXT = r"'(?P<value>(?:[^'\\]|\\.)*)'"
NUMBER = r"(?P<number>-?\d+(?:\.\d+)?)"
SUBJECT = r"(?P<subject>contact\.\w+|contact_metas\.(?:name|answer_\d+))"
JOINED = re.compile(r"\s*(&&|\|\|)\s*")
MOST_ROWS = 30


@dataclass(frozen=True)
class Row:
    """One line: about what, how it compares, to what."""

    subject: str
    """A key of the data, NAME, or ANSWER with the id of a campaign."""
    how: str
    value: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nobody has begun to fill it in; a half of a line is a mistake, never nothing."""
        return not self.subject and not self.value.strip()

    @property
    def shown(self) -> str:
        """The value as a page's field takes it: dates as browsers have them."""
        day = _day(self.value) if self.how in DATED else None
        return day.isoformat() if day else self.value


@dataclass(frozen=True)
class Rows:
    """All lines, and whether all of them must hold, or any."""

    rows: list[Row]
    any_of: bool = False


class NotARow(ValueError):
    """What a line says cannot be compared so; str(error) is a sentence (a msgid)."""


def written(wanted: Rows) -> str:
    """The rule that rows are. Raises NotARow."""
    rows = [row for row in wanted.rows if not row.is_blank]
    if len(rows) > MOST_ROWS:
        raise NotARow(N_("Trente lignes au plus : écrivez plutôt la condition."))
    return (" || " if wanted.any_of else " && ").join(map(_clause, rows))


def _day(value: str) -> date | None:
    """The day that a value is, as people or browsers write it."""
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(value.strip(), pattern).date()
        except ValueError:
            continue
    return None


def _clause(row: Row) -> str:
    if not row.subject:
        raise NotARow(N_("Dites de quelle donnée parle chaque ligne, ou videz celle qui est de trop."))
    forms = ANSWERS if row.subject.startswith(ANSWER) else DATA
    if row.how not in forms:
        raise NotARow(N_("Cette comparaison ne va pas avec ce qui la précède."))
    value = row.value.strip()
    if row.how not in WITHOUT_VALUE and not value:
        raise NotARow(N_("Il manque une valeur : complétez la ligne, ou videz-la."))
    if row.how in DATED and _day(value) is None:
        raise NotARow(N_("Écrivez une date, par exemple 24/12/2026."))
    number = "".join(value.replace(",", ".").split())  # French tables write 1 000 with a space of another kind
    if row.how in NUMBERED and not re.fullmatch(r"-?\d{1,9}(\.\d{1,6})?", number):
        raise NotARow(N_("Écrivez un nombre, par exemple 18."))
    quoted = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return forms[row.how].format(subject=_variable(row.subject), value=quoted, number=number)


def _variable(subject: str) -> str:
    if subject == NAME:
        return "contact_metas.name"
    if subject.startswith(ANSWER):
        campaign_id = subject.removeprefix(ANSWER)
        if not re.fullmatch("[0-9]{1,9}", campaign_id):
            raise NotARow(N_("Cette comparaison ne va pas avec ce qui la précède."))
        return f"contact_metas.answer_{campaign_id}"
    return f"contact.{subject}"


def of_rule(rule: str | None) -> Rows | None:
    """The rows that a rule is; None for what only the language says, or what they would not give back as it is."""
    pieces = _split((rule or "").strip())
    if pieces is None:
        return None
    clauses, joints = pieces
    if len(set(joints)) > 1:
        return None
    rows = [row for clause in clauses if (row := _row(clause)) is not None and _gives_back(row, clause)]
    if len(rows) < len(clauses) or len(rows) > MOST_ROWS:
        return None
    return Rows(rows, any_of="||" in joints)


def _gives_back(row: Row, clause: str) -> bool:
    try:
        return _clause(row) == clause.strip()
    except NotARow:
        return False


def _split(rule: str) -> tuple[list[str], list[str]] | None:
    """A rule at its joints, outside of texts; None when a text does not end."""
    clauses, joints, begun, position, is_inside = [], [], 0, 0, False
    while position < len(rule):
        if is_inside and rule[position] == "\\":
            position += 2
            continue
        if rule[position] == "'":
            is_inside = not is_inside
        found = None if is_inside else JOINED.match(rule, position)
        if found and found.group(0):
            clauses.append(rule[begun:position])
            joints.append(found.group(1))
            begun = position = found.end()
            continue
        position += 1
    return None if is_inside else ([*clauses, rule[begun:]], joints)


def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for how, form in (DATA | ANSWERS).items():
        pattern = re.escape(form).replace(r"\{subject\}", SUBJECT).replace(r"\{value\}", TEXT)
        found.append((how, re.compile(pattern.replace(r"\{number\}", NUMBER))))
    return sorted(found, key=lambda one: one[0] not in ("older", "younger"))  # a date of theirs is no date of a value


PATTERNS = _patterns()


def _row(clause: str) -> Row | None:
    for how, pattern in PATTERNS:
        found = pattern.fullmatch(clause.strip())
        if found is None:
            continue
        facts = found.groupdict()
        value = facts.get("number") or re.sub(r"\\(.)", r"\1", facts.get("value") or "")
        subject = facts["subject"].removeprefix("contact.")
        if subject.startswith("contact_metas.answer_"):
            return Row(ANSWER + subject.removeprefix("contact_metas.answer_"), how) if how in ANSWERS else None
        if how in ANSWERS:
            return None
        return Row(NAME if subject == "contact_metas.name" else subject, how, value)
    return None
