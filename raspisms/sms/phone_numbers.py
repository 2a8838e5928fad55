"""Telephone numbers: as people type them, as providers write them, and E.164 inside."""

from __future__ import annotations

import functools
import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

REGION = "FR"
# Ranges that the French plan opened for text messages; metadata may lag behind the plan.
FRENCH_TEXT_RANGES = re.compile(r"(?:[67]\d{8}|93[789]\d{6})")
# A mobile number without its zero, without its plus, or whole; with the decimals of a quantity or without.
QUANTITY = re.compile(r"(?:(?P<bare>[67][0-9]{8})|33(?P<plus>[67][0-9]{8})|0(?P<plain>[67][0-9]{8}))(?P<zeros>[.,]0+)?")
EXPONENT = re.compile(r"([0-9])[.,]([0-9]+)[eE]\+?([0-9]{1,2})")
# What most lists are made of, read without the full numbering plan: a hundred times quicker.
PLAIN_MOBILE = re.compile(r"(?:\+33|0033|0)([67][0-9]{8})")
FRENCH_MOBILE = re.compile(r"\+33[67][0-9]{8}")
# Digits that begin neither as a French number does nor as an international one.
BARE_QUANTITY = re.compile(r"[1-9][0-9]*(?:[.,][0-9]*)?")
LETTER = re.compile(r"[^\W\d_]")
SEPARATORS = re.compile(r"[,;\n\r]+")


SPECIAL_KINDS = frozenset(
    {
        *(PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.TOLL_FREE),
        *(PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL, PhoneNumberType.PAGER),
    }
)


class NotANumber(ValueError):
    """The text is no telephone number that can receive an SMS."""


def parse(raw: str, region: str = REGION) -> str:
    """E.164 of a number as a person types it; national numbers are read as `region`'s.

    Raises NotANumber. Letters are no digits here, whatever the keys of a telephone say.
    """
    if LETTER.search(raw):
        raise NotANumber(raw)
    try:
        number = phonenumbers.parse(raw.strip(), region)
    except NumberParseException as error:
        raise NotANumber(raw) from error
    if number.extension or not _usable(number):
        raise NotANumber(raw)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _usable(number: PhoneNumber) -> bool:
    if phonenumbers.is_valid_number(number):
        return True
    national = str(number.national_number)
    return number.country_code == 33 and FRENCH_TEXT_RANGES.fullmatch(national) is not None


def repair(raw: str) -> str | None:
    """E.164 of a French mobile number that a spreadsheet took for a quantity; None when it was not one.

    612345678 (the zero is gone), 33612345678 (the plus), 0612345678.0, and 6,12345678E+08 if every digit is
    there. Nothing else is guessed: a wrong guess writes to a stranger.
    """
    text = re.sub(r"[\s\u00a0\u202f]", "", raw)
    if exponent := EXPONENT.fullmatch(text):
        digits, shift = exponent[1] + exponent[2], int(exponent[3])
        if len(exponent[2]) < shift or digits[shift + 1 :].strip("0"):
            return None
        text = digits[: shift + 1]
    quantity = QUANTITY.fullmatch(text)
    if quantity is None or (quantity["plain"] and not quantity["zeros"]):
        return None
    return "+33" + (quantity["bare"] or quantity["plus"] or quantity["plain"])


def read(raw: str) -> tuple[str | None, bool]:
    """A cell of a list: its number in E.164, if there is one, and whether it had to be repaired."""
    plain = PLAIN_MOBILE.fullmatch(re.sub(r"[ .\-\u00a0]", "", raw.strip()))
    if plain:
        return "+33" + plain[1], False
    if repaired := repair(raw):
        return repaired, True
    if BARE_QUANTITY.fullmatch(raw.strip()):
        return None, False  # the plan would take nine digits for a landline; a list may hold anything
    try:
        return parse(raw), False
    except NotANumber:
        return None, False


def split(raw: str) -> list[str]:
    """The numbers of a field, one a line or separated by commas, semicolons or (whole numbers) spaces."""
    found: list[str] = []
    for chunk in SEPARATORS.split(raw):
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


def from_provider(raw: object) -> str:
    """E.164 of a number as a provider writes it: with `+`, without, with 00, or a blank that was a `+`.

    What is no number (a short code, a sender's name) comes back trimmed, as it is.
    Source: docs/providers/octopush.md §7.2 and §8.
    """
    return _from_provider(str(raw).strip())


@functools.lru_cache(maxsize=1024)
def _from_provider(text: str) -> str:
    digits = re.sub(r"[\s.\-()]", "", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif re.fullmatch(r"[1-9][0-9]{9,14}", digits):
        digits = "+" + digits
    try:
        return parse(digits)
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


def is_french_mobile(number: str) -> bool:
    """Whether a number in E.164 is one of those that most lists are made of; told without a look into the plan."""
    return FRENCH_MOBILE.fullmatch(number) is not None


def country(number: str) -> str:
    """The ISO code of a number's country; a French mobile is answered without a look into the plan."""
    if number.startswith(("+336", "+337")):
        return "FR"
    parsed = phonenumbers.parse(number, None)
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )


def is_special(number: str) -> bool:
    """Whether a number has a tariff or a use of its own (0 899, 0 800 …): no person reads SMS there."""
    kind = phonenumbers.number_type(phonenumbers.parse(number, None))
    return kind in SPECIAL_KINDS
