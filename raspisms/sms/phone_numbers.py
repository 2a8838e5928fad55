"""Telephone numbers: as people type them, as providers write them, and E.164 inside."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

# Whose national numbers people write, where nobody chose another country.
HOME = ("FR",)
# The mainland, and the territories whose numbers people write as they write the mainland's, 0692 00 00 01: each of
# those has a country code of its own, and no number of theirs exists under +33.
FRENCH_REGIONS = ("FR", "RE", "YT", "GP", "MQ", "GF", "PM")
# Saint-Barthélemy and Saint-Martin have the numbers of Guadeloupe.
FRENCH_HOMES = (*FRENCH_REGIONS, "BL", "MF")
OVERSEAS_BEGINNINGS = {"690": 590, "691": 590, "692": 262, "693": 262, "694": 594, "696": 596, "697": 596}
# How landlines of the territories begin when written nationally, and whose they are: none of them is the mainland's.
OVERSEAS_LANDLINES = {
    "262": ("262", "RE"), "263": ("262", "RE"), "269": ("262", "YT"), "590": ("590", "GP"), "594": ("594", "GF"),
    "596": ("596", "MQ"),
}  # fmt: skip
# Saint-Pierre-et-Miquelon has six digits: 0508 55 12 34.
SHORT_OVERSEAS = re.compile(r"508(\d{6})")
# ARCEP keeps 06 39 98 for films and examples: it is the mainland's, and no metadata knows it.
FICTIONAL = r"63998\d{4}"
# 09 numbers that can get SMS; metadata may lag behind the plan.
FRENCH_TEXT_RANGES = re.compile(r"93[789][0-9]{6}")
# A mobile number without its zero, without its plus, or whole; with the decimals of a quantity or without.
QUANTITY = re.compile(r"(?:(?P<bare>[67][0-9]{8})|33(?P<plus>[67][0-9]{8})|0(?P<plain>[67][0-9]{8}))(?P<zeros>[.,]0+)?")
EXPONENT = re.compile(r"([0-9])[.,]([0-9]+)[eE]\+?([0-9]{1,2})")
# What most lists are made of, read without the full numbering plan: a hundred times quicker.
PLAIN_MOBILE = re.compile(r"(?P<prefix>\+33|0033|0)(?P<national>[67][0-9]{8})")
# A number of a territory without its plus.
OVERSEAS_QUANTITY = re.compile(r"(?P<code>262|590|594|596|508)(?P<national>[67][0-9]{8})(?:[.,]0+)?")
PLAIN_LANDLINE = re.compile(r"0([1-5][0-9]{8})")
SEPARATED, TRUNK_ZERO = re.compile(r"[ .\-]"), re.compile(r"^(\+33|0033)\(0\)")
# Digits that begin neither as a French number does nor as an international one.
BARE_QUANTITY = re.compile(r"[1-9][0-9]*(?:[.,][0-9]*)?")
MIDDLE_DOTS = "\u00b7\u2022\u2027\u22c5"
LETTER = re.compile(r"[^\W\d_]")
SEPARATORS = re.compile(r"[,;\n\r]+")
# 15, 112, 3639, 118 218, 36180: they have no form in E.164, and nobody reads SMS there as a person does.
SHORT = re.compile(r"1[578]|1\d{2}|11[68]\d{3}|[13]\d{3}|[3-8]\d{4}")


class Kind(StrEnum):
    """What a number is, as far as an SMS to it goes."""

    MOBILE = "mobile"
    """It can get SMS, or nothing says that it can't."""
    LANDLINE = "landline"
    BOX = "box"
    """09: a landline of a provider's box, or a number that moves with its owner."""
    FREE = "free"
    PREMIUM = "premium"
    SHORT = "short"
    SPECIAL = "special"
    """Voice mail, pagers, companies' numbers."""


KINDS = {
    PhoneNumberType.FIXED_LINE: Kind.LANDLINE,
    PhoneNumberType.TOLL_FREE: Kind.FREE,
    PhoneNumberType.PREMIUM_RATE: Kind.PREMIUM,
    PhoneNumberType.SHARED_COST: Kind.PREMIUM,
    PhoneNumberType.UAN: Kind.SPECIAL,
    PhoneNumberType.VOICEMAIL: Kind.SPECIAL,
    PhoneNumberType.PAGER: Kind.SPECIAL,
}


class NotANumber(ValueError):
    """The text is no telephone number that can receive an SMS."""


_read_as: ContextVar[tuple[str, ...] | None] = ContextVar("read_as", default=None)
_chosen: Callable[[], tuple[str, ...]] | None = None


def countries() -> tuple[str, ...]:
    """Whose national numbers people write: the first of these countries (ISO codes) that has the number."""
    return _read_as.get() or (_chosen() if _chosen else HOME)


def ask_for_countries(chosen: Callable[[], tuple[str, ...]]) -> None:
    """Have the team's choice asked for when a national number is read."""
    global _chosen
    _chosen = chosen


@contextmanager
def reading_as(some: tuple[str, ...]) -> Iterator[None]:
    """Within it, national numbers are those of these countries: for who reads where there is no database."""
    token = _read_as.set(some)
    try:
        yield
    finally:
        _read_as.reset(token)


def typed(raw: str) -> str:
    """What was typed, with what cannot be seen gone, and every blank, dash, dot and digit a usual one.

    Pages, mails and spreadsheets put such signs between digits. Lines stay lines. The browser counts by the same
    rule, see static/compose.js.
    """
    if raw.isascii() and raw.isprintable():  # nearly all are
        return raw
    return "".join(_usual(character) for character in raw)


def _usual(character: str) -> str:
    if character.isascii() and character.isprintable():
        return character
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    if character in MIDDLE_DOTS:
        return "."
    if character in "\n\r":
        return character
    return {"Zs": " ", "Pd": "-", "Cf": "", "Cc": " " if character == "\t" else ""}.get(kind, character)


def parse(raw: str) -> str:
    """E.164 of a number as a person types it; a national number is of the first of `countries()` that has it.

    Raises NotANumber. Letters are no digits here, whatever the keys of a telephone say. A mobile of the French plan
    belongs to the mainland or the territory that has it today (0692 00 00 01 is +262 692 00 00 01).
    """
    if LETTER.search(raw):
        raise NotANumber(raw)
    text = typed(raw).strip()
    for country in HOME if text.startswith(("+", "00")) else countries():
        if found := _parsed(text, country):
            return found
    raise NotANumber(raw)


def _parsed(text: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    national = str(number.national_number)
    if number.country_code == 33 and len(national) == 9 and not number.extension:
        if national[0] in "67":
            return of_french_plan(national)
        if (overseas := _overseas_landline(national)) is not None:
            return overseas or None
    if number.extension or not _usable(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@functools.cache
def _mainland_landlines() -> re.Pattern[str]:
    """The landlines that today's plan gives on the mainland, by their nine digits."""
    known: Any = PhoneMetadata.metadata_for_region("FR")
    return re.compile(known.fixed_line.national_number_pattern)


def _is_mainland_landline(national: str) -> bool:
    is_overseas = national[:3] in OVERSEAS_LANDLINES or national.startswith("508")
    return not is_overseas and _mainland_landlines().fullmatch(national) is not None


@functools.cache
def _mobiles() -> dict[str, re.Pattern[str]]:
    """The mobile numbers that today's plan gives in France and its territories, by country code."""
    patterns: dict[str, list[str]] = {"33": [FICTIONAL]}
    for region in FRENCH_REGIONS:
        known: Any = PhoneMetadata.metadata_for_region(region)
        patterns.setdefault(str(known.country_code), []).append(known.mobile.national_number_pattern)
    return {code: re.compile("|".join(f"(?:{one})" for one in some)) for code, some in patterns.items()}


def of_french_plan(national: str) -> str | None:
    """E.164 of a mobile by its nine digits without the zero; None where the plan gives that number to nobody."""
    for code, pattern in _mobiles().items():
        if pattern.fullmatch(national):
            return f"+{code}{national}"
    return None


def _overseas_landline(national: str) -> str | None:
    """E.164 of a territory's landline by its nine digits; empty for one that nobody has, None for the mainland's."""
    if short := SHORT_OVERSEAS.fullmatch(national):
        number = phonenumbers.parse(f"+508{short[1]}", None)
    elif (owner := OVERSEAS_LANDLINES.get(national[:3])) is not None:
        number = phonenumbers.parse(f"+{owner[0]}{national}", None)
    else:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if phonenumbers.is_valid_number(number) else ""


def plan() -> dict[str, str]:
    """Whose mobiles they are, by country code, as regular expressions that a browser understands too."""
    return {code: pattern.pattern for code, pattern in _mobiles().items()}


def home_code() -> str:
    """The country code that a browser puts before a national number; empty at home in France, where `plan` tells."""
    return "" if _is_french_home() else str(phonenumbers.country_code_for_region(countries()[0]))


def _usable(number: PhoneNumber) -> bool:
    if phonenumbers.is_valid_number(number):
        return True
    national = str(number.national_number)
    return number.country_code == 33 and FRENCH_TEXT_RANGES.fullmatch(national) is not None


def repair(raw: str) -> str | None:
    """E.164 of a mobile number of the French plan that a spreadsheet took for a quantity; None when it was not one.

    612345678 (the zero is gone), 33612345678 (the plus), 0612345678.0, and 6,12345678E+08 if every digit is
    there. Nothing else is guessed: a wrong guess writes to a stranger.
    """
    text = re.sub(r"\s", "", typed(raw))
    if exponent := EXPONENT.fullmatch(text):
        digits, shift = exponent[1] + exponent[2], int(exponent[3])
        if len(exponent[2]) < shift or digits[shift + 1 :].strip("0"):
            return None
        text = digits[: shift + 1]
    if overseas := OVERSEAS_QUANTITY.fullmatch(text):
        found = of_french_plan(overseas["national"])
        return found if found == f"+{overseas['code']}{overseas['national']}" else None
    quantity = QUANTITY.fullmatch(text)
    if quantity is None or (quantity["plain"] and not quantity["zeros"]):
        return None
    if not quantity["plus"] and not _is_french_home():
        return None
    return of_french_plan(quantity["bare"] or quantity["plus"] or quantity["plain"])


def _is_french_home() -> bool:
    return countries()[0] in FRENCH_HOMES


def read(raw: str) -> tuple[str | None, bool]:
    """A cell of a list: its number in E.164, if there is one, and whether it had to be repaired."""
    raw = typed(raw)
    bare = SEPARATED.sub("", raw)
    plain = PLAIN_MOBILE.fullmatch(TRUNK_ZERO.sub(r"\1", bare) if "(0)" in bare else bare)
    if plain and (plain["prefix"] != "0" or _is_french_home()):
        if plain["national"][1:] == "00000000":
            return None, False  # what people write where they know no number
        found = of_french_plan(plain["national"])
        # +33 692… is what a program makes of 0692…, and nobody's number: it is told, and to be checked.
        return found, found is not None and plain["prefix"] != "0" and not found.startswith("+33")
    if (landline := PLAIN_LANDLINE.fullmatch(bare)) and _is_french_home() and _is_mainland_landline(landline[1]):
        return "+33" + landline[1], False
    if repaired := repair(raw):
        return repaired, True
    if _is_french_home() and BARE_QUANTITY.fullmatch(raw.strip()):
        return None, False  # the plan would take nine digits for a landline; a list may hold anything
    try:
        return parse(raw), False
    except NotANumber:
        return None, False


def split(raw: str) -> list[str]:
    """The numbers of a field, one a line or separated by commas, semicolons or (whole numbers) spaces."""
    found: list[str] = []
    for chunk in SEPARATORS.split(typed(raw)):
        piece = " ".join(chunk.split())
        if not piece:
            continue
        words = piece.split(" ")
        if len(words) > 1 and not is_number(piece) and all(is_number(word) for word in words):
            found.extend(words)
        else:
            found.append(piece)
    return found


def is_number(raw: str) -> bool:
    """Whether `parse` would take it."""
    try:
        parse(raw)
    except NotANumber:
        return False
    return True


def spellings(number: str) -> tuple[str, ...]:
    """A number in E.164, and what versions made of it that took the numbers of the territories for the mainland's."""
    written = national(number)
    return (number,) if not written or number.startswith("+33") else (number, "+33" + written[1:])


def from_provider(raw: object, *, as_sent: bool = False) -> str:
    """E.164 of a number as a provider writes it: with `+`, without, with 00, or a blank that was a `+`.

    What is no number (a short code, a sender's name) comes back trimmed, as it is.
    Source: docs/providers/octopush.md §7.2 and §8.
    """
    found = _from_provider(str(raw).strip())
    # A report is about the number that was written to, whoever has it; everything else about whoever has it.
    return found if as_sent else _of_who_has_it(found)


def _of_who_has_it(number: str) -> str:
    plain = PLAIN_MOBILE.fullmatch(number)
    return of_french_plan(plain["national"]) or number if plain else number


@functools.lru_cache(maxsize=1024)
def _from_provider(text: str) -> str:
    digits = re.sub(r"[\s.\-()]", "", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif re.fullmatch(r"[1-9][0-9]{9,14}", digits):
        digits = "+" + digits
    try:
        found = parse(digits)
        # Whatever number it was that we wrote to, reports are about that one.
        return digits if digits.startswith("+33") and not found.startswith("+33") else found
    except NotANumber:
        # A number that our metadata does not know is still one: it came from a real telephone.
        return digits if re.fullmatch(r"\+[1-9][0-9]{6,14}", digits) else text


def pretty(number: str) -> str:
    """How a page shows a number: the national way for France, the international way elsewhere."""
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:
        return number
    style = PhoneNumberFormat.NATIONAL if parsed.country_code == 33 else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style).replace(" ", "\N{NO-BREAK SPACE}")


def national(number: str) -> str:
    """How people in France write a number in E.164 of the mainland or a territory, as one word; empty for others."""
    code = next((code for code in _mobiles() if number.startswith(f"+{code}") and len(number) == len(code) + 10), None)
    return "0" + number[-9:] if code else ""


def beginning(digits: str) -> str:
    """How numbers in E.164 begin whose national form begins with these digits, without the zero (three at least)."""
    if len(digits) == 9 and digits[0] in "67" and (whole := of_french_plan(digits)):
        return whole
    return f"+{OVERSEAS_BEGINNINGS.get(digits[:3], '33')}{digits}"


def is_french_mobile(number: str) -> bool:
    """Whether a number in E.164 is one of those that most lists are made of; told without a look into the plan."""
    return number.startswith("+33") and _mobiles()["33"].fullmatch(number, 3) is not None


def country(number: str) -> str:
    """The ISO code of a number's country; a French mobile is answered without a look into the plan."""
    if number.startswith(("+336", "+337")):
        return "FR"
    parsed = phonenumbers.parse(number, None)
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )


@functools.lru_cache(maxsize=4096)
def kind(number: str) -> Kind:
    """What a number in E.164 is; a French mobile is told without a look into the plan."""
    if is_french_mobile(number):
        return Kind.MOBILE
    if number.startswith("+33") and _is_mainland_landline(number[3:]):
        return Kind.LANDLINE
    parsed = phonenumbers.parse(number, None)
    of_plan = phonenumbers.number_type(parsed)
    if str(parsed.country_code) in _mobiles() and of_plan == PhoneNumberType.VOIP:
        return Kind.MOBILE if FRENCH_TEXT_RANGES.fullmatch(str(parsed.national_number)) else Kind.BOX
    return KINDS.get(of_plan, Kind.MOBILE)


def is_short(raw: str) -> bool:
    """Whether this is a short number, which has no form in E.164."""
    return SHORT.fullmatch(re.sub(r"[ .\-]", "", typed(raw))) is not None


def gets_sms(of_kind: Kind, *, landlines: bool) -> bool:
    """Whether an SMS goes to numbers of a kind; to landlines where the team chose so, since some operators read it
    out. The one rule for lists and for the gate."""
    return of_kind is Kind.MOBILE or (landlines and of_kind in {Kind.LANDLINE, Kind.BOX})
