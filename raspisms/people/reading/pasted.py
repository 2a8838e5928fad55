"""A list as somebody types or pastes it: each line by itself, in whatever order."""

from __future__ import annotations

import re

from ...sms import phone_numbers
from ...sms.folding import fold
from ...sms.numbers_in_text import DATE, Found, has_another, mobiles, numbers_in
from .lines import TWO_MOBILES, Line
from .names import EMPTY_BRACKETS

# "1. ", "2) ", "- ", "• ", "4 - ", "[x] ": what stands before a line of a list.
BULLET = re.compile(
    r"^\s*(?:\[[ xX]?\]\s*|[-–—•*·▪◦‣>+→➡✓✔✅☐☑☎]\ufe0f?\s*|o\s+(?=[A-ZÀ-Þ])|(?:n[°o]|№|#)\s?\d{1,4}\s+"
    r"|\(?(?:\d{1,4}|[a-zA-Z])[.)°]\s*(?=[^\d\s])|\d{1,3}\s*[-/:]\s*(?=[^\d\s])|\d{1,3}\s+(?=[^\W\d_]))"
)
# The same directly before a number: not a part of it.
NUMBERING = re.compile(r"^\s*(?:\(?\d{1,3}[.)°]\s+|[-–—•*]\s+|#\s?\d{1,3}\s+)(?=[\d+(])")
# "Tél :", "portable perso", "n° de tél", directly before a number.
LABEL = re.compile(
    r"(?:(?<![^\W\d_])(?:(?:n[°o]\s?(?:de\s)?)?t[ée]l(?:[ée]phone)?|n[°o]|phone|port(?:able)?|mob(?:ile)?|gsm|fixe|num[ée]ro|sms|cell"
    r"|whats?app|perso|pro|joignable|au|ou|et|t|p)(?![^\W\d_])[\s.:]*)+$",
    re.IGNORECASE,
)
# Labels stand right before the number: no more than this is looked at.
NEAR = 60
EMAIL = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,4}")
# What a mobile's chat writes before each message.
CHAT = re.compile(r"^\[?\d{1,2}/\d{1,2}/\d{2,4},?\s+(?:à\s+)?\d{1,2}:\d{2}(?::\d{2})?\]?\s*(?:-\s*)?([^:]{1,60}):\s")
BORN = re.compile(r"\bn[ée](?:\(?e\)?)?\s+le\b", re.IGNORECASE)
SHORT_DATE = re.compile(r"\b\d{1,2}/\d{1,2}\b|\b\d{1,2}\s?[h:]\s?\d{2}\b")
EDGES = ' \t,;:|/=<>"•*·–—-._→➡+&✓✔✅📱📞☎\ufe0f'
DIGITS = re.compile(r"\+?\d[\d .\-()/\u00a0\u202f]{4,}\d")
# Lines that are nobody.
TITLE = re.compile(
    r"^(?:liste?s?|contacts?|num[ée]ros?|t[ée]l[ée]phones?|noms?|membres|parents|groupe|bonjour|bonsoir|merci|cordialement|voici"
    r"|bien [àa] vous|total|page)\b.*|.*:\s*$|[\W_]+$",
    re.IGNORECASE,
)
# Who owns the telephone that a list of a group comes from.
MYSELF = frozenset({"vous", "you", "moi"})


def read(text: str) -> list[Line]:
    """Everybody in a text without columns; several numbers without a name are several people."""
    rows = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    people = [one for number, line in rows if not _is_title(line) for one in _of_line(number, line)]
    people = _with_names_above(people)
    named = [one for one in people if one.number]
    if named and len(people) > len(named) and not people[0].number and people[0].line == rows[0][0]:
        people = people[1:] if not DIGITS.search(people[0].name) else people  # a title that says nothing of being one
    return people


def _is_title(line: str) -> bool:
    return TITLE.match(line.strip()) is not None and not numbers_in(line) and not DIGITS.search(DATE.sub("", line))


def _with_names_above(people: list[Line]) -> list[Line]:
    """Where each name stands on a line of its own above its number: one person of two lines."""
    pairs = [
        at
        for at in range(len(people) - 1)
        if people[at].name and not people[at].number and people[at + 1].number and not people[at + 1].name
    ]
    nameless = sum(1 for one in people if one.number and not one.name)
    if not pairs or len(pairs) < nameless:
        return people
    for at in pairs:
        below = people[at + 1]
        below.name, below.data = people[at].name, people[at].data | below.data
    return [one for at, one in enumerate(people) if at not in set(pairs)]


def _of_line(line: int, text: str) -> list[Line]:
    plain = NUMBERING.sub("", phone_numbers.typed(text))
    chat = CHAT.match(plain)
    name = chat[1].strip() if chat else ""
    plain = plain[chat.end() :] if chat else plain
    parts = re.split(r"[,;](?!\d\d?(?!\d))", plain)
    with_number = [part for part in parts if numbers_in(part)]
    if len(with_number) > 1 and len(mobiles(numbers_in(plain))) > 1 and len(with_number) == len(numbers_in(plain)):
        others = " ".join(part for part in parts if not numbers_in(part)).split()
        names = [_rest(part, numbers_in(part))[0] for part in with_number]
        if all(names) or (not any(names) and all(fold(one) in MYSELF for one in others)):
            return [one for part in with_number for one in _person(line, part, "")]
    return _person(line, plain, name)


def _person(line: int, text: str, name: str) -> list[Line]:
    numbers = numbers_in(text)
    is_followed = has_another(text, numbers)
    rest, data = _rest(text[: numbers[-1].end] if is_followed else text, numbers)
    name = name or rest
    textable = mobiles(numbers)
    if len(textable) > 1 and not name:
        return [Line(line, "", one.written, dict(data)) for one in textable]
    if len(textable) > 1 or is_followed:
        return [Line(line, name, text[numbers[0].start :].strip(), data, said=[(TWO_MOBILES, {})])]
    if not numbers:
        return [_without_number(line, text, name, data)]
    chosen = (textable or numbers)[0]
    others = [one.number for one in numbers if one.number != chosen.number]
    if others:
        data["autre_numero"] = ", ".join(dict.fromkeys(others))
    return [Line(line, name, chosen.written, data)]


def _without_number(line: int, text: str, name: str, data: dict[str, str]) -> Line:
    """Somebody whose number is damaged, short, or missing."""
    damaged = DIGITS.search(DATE.sub(" ", text))
    if damaged is None and (words := text.split()) and phone_numbers.is_short(words[-1]):
        return Line(line, _clean(" ".join(words[:-1])), words[-1], data)
    number = damaged[0].strip() if damaged else ""
    return Line(line, _clean(name.replace(number, " ")) if number else name, number, data)


def _rest(text: str, numbers: list[Found]) -> tuple[str, dict[str, str]]:
    """What is left of a line without its numbers: a name, and what is none."""
    data: dict[str, str] = {}
    pieces, position = [], 0
    for one in numbers:
        piece = text[position : one.start]
        pieces.append(piece[:-NEAR] + LABEL.sub(" ", piece[-NEAR:]))
        position = one.end
    rest = BULLET.sub("", " ".join([*pieces, text[position:]]), count=1)
    for key, pattern in (("email", EMAIL), ("date", DATE), ("date", SHORT_DATE)):
        if found := pattern.search(rest):
            data.setdefault(key, found[0])
            rest = pattern.sub(" ", rest)
    return _clean(BORN.sub(" ", rest)), data


def _clean(text: str) -> str:
    return " ".join(EMPTY_BRACKETS.sub(" ", text).split()).strip(EDGES)
