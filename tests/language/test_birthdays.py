"""Birthdays as lists have them, and keys as people write them."""

from datetime import datetime

import pytest

from raspisms.language import dates, functions
from raspisms.language.values import Fields


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("25/11/1990", "1990-11-25"),
        ("25/11/90", "1990-11-25"),
        ("25-11-90", "1990-11-25"),
        ("25.11.1990", "1990-11-25"),
        ("25/11/1990 00:00", "1990-11-25"),
        ("1990-11-25T00:00:00Z", "1990-11-25"),
        ("19901125", "1990-11-25"),
        ("25 novembre 1990", "1990-11-25"),
        ("1er févr. 2004", "2004-02-01"),
        ("3 June 1985", "1985-06-03"),
        ("25/11/02", "2002-11-25"),
        ("--1125", "--11-25"),
        ("--11-25", "--11-25"),
        ("25/11", "--11-25"),
        ("25 nov", "--11-25"),
        ("29/02", "--02-29"),
        ("32/13/1990", None),
        ("30/02/1990", None),
        ("25 j 1990", None),
        ("ma 1990", None),
        ("06 39 98 70 01", None),
        ("", None),
    ],
)
def test_a_birthday_is_read_in_its_usual_forms(written, day):
    assert dates.day_of_birth(written) == day


def test_keys_are_found_without_case_and_accents():
    found = Fields({"Ville": "Lyon", "Prénom": "Léa"}, missed := set())
    assert (found["ville"], found["VILLE"], found["prenom"]) == ("Lyon", "Lyon", "Léa")
    with pytest.raises(KeyError):
        found["villes"]
    assert missed == {"villes"}


@pytest.mark.parametrize("written", ["25/11", "25/11/27", "5.1", "3/4", "12 03", "19901125", "25 nov"])
def test_what_is_short_is_a_date_for_birthdays_only(written):
    """A mark, a price or an appointment in a rule or a text is none of a year that nobody wrote."""
    assert dates.read(written) is None


def test_a_birthday_without_a_year_is_one_every_year(monkeypatch):
    monkeypatch.setattr(dates, "present", lambda: datetime(2026, 11, 25))
    for written in ("--11-25", "25/11", "25/11/90", "1990-11-25", "25 novembre 1990"):
        assert functions.is_birthday(written)
    assert functions.is_birthday(dates.read("--11-25"))
    assert not functions.is_birthday("26/11")
