import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.sms import phone_numbers


@pytest.mark.parametrize(
    ("typed", "e164"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("0612345678", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("(0)6-12-34-56-78", "+33612345678"),
        ("09 37 00 00 01", "+33937000001"),
        ("0938123456", "+33938123456"),
        ("0939123456", "+33939123456"),
        ("0639980001", "+33639980001"),
        ("+262 692 12 34 56", "+262692123456"),
        ("+1 415 555 2671", "+14155552671"),
    ],
)
def test_numbers_are_read_as_people_type_them(typed, e164):
    assert phone_numbers.parse(typed) == e164


@pytest.mark.parametrize("typed", ["", "  ", "bonjour", "36111", "06 12 34", "+33", "0612345678901234", "06123456ab"])
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(phone_numbers.NotANumber):
        phone_numbers.parse(typed)


@pytest.mark.parametrize(
    ("field", "pieces"),
    [
        ("06 12 34 56 78", ["06 12 34 56 78"]),
        ("06 12 34 56 78, 0698765432", ["06 12 34 56 78", "0698765432"]),
        ("0612345678 0698765432", ["0612345678", "0698765432"]),
        ("0612345678;\n\n0698765432 ;", ["0612345678", "0698765432"]),
        ("bonjour\n0612345678", ["bonjour", "0612345678"]),
        ("  \n ", []),
    ],
)
def test_a_field_is_split_into_numbers(field, pieces):
    assert phone_numbers.split(field) == pieces


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("+33612345678", "+33612345678"),
        ("33612345678", "+33612345678"),
        ("0033612345678", "+33612345678"),
        (" 33612345678", "+33612345678"),  # a form's raw + reads as a blank
        (33612345678, "+33612345678"),
        ("0612345678", "+33612345678"),
        ("36111", "36111"),
        ("Octopush", "Octopush"),
        ("+44600000000", "+44600000000"),  # unknown to our metadata, real to the provider
    ],
)
def test_numbers_are_read_as_providers_write_them(raw, e164):
    assert phone_numbers.from_provider(raw) == e164


def test_french_numbers_are_shown_in_pairs():
    assert phone_numbers.pretty("+33612345678").split() == ["06", "12", "34", "56", "78"]
    assert phone_numbers.pretty("+14155552671").startswith("+1")
    assert phone_numbers.pretty("36111") == "36111"


@given(st.from_regex(r"0[67][0-9]{8}", fullmatch=True))
def test_every_french_mobile_number_is_taken_and_comes_back_the_same(typed):
    e164 = phone_numbers.parse(typed)
    assert e164 == "+33" + typed[1:]
    assert phone_numbers.parse(phone_numbers.pretty(e164)) == e164
    assert phone_numbers.from_provider(e164.lstrip("+")) == e164


@given(st.text())
def test_nothing_that_is_typed_breaks_the_reading(typed):
    for piece in phone_numbers.split(typed):
        assert isinstance(phone_numbers.is_number(piece), bool)
    assert isinstance(phone_numbers.from_provider(typed), str)
    assert isinstance(phone_numbers.pretty(typed), str)


@pytest.mark.parametrize(
    ("damaged", "e164"),
    [
        ("639987001", "+33639987001"),
        ("33639987001", "+33639987001"),
        ("639987001.0", "+33639987001"),
        ("0639987001,00", "+33639987001"),
        ("6,39987001E+08", "+33639987001"),
        ("6.39987001000E8", "+33639987001"),
        ("3,3639987001E+10", "+33639987001"),
    ],
)
def test_what_a_spreadsheet_damaged_is_repaired(damaged, e164):
    assert phone_numbers.repair(damaged) == e164


@pytest.mark.parametrize(
    "value",
    [
        *("+43.664.1234.000", "+358.40.12345.00", "+49.30.1234.00", "+352.24.12.00", "+33639987001", "0639987001"),
        *("552100554", "336123456", "6,12E+08", "6,39987001E+09", "6,399870015E+08", "", "Jean", "06 39 98 70 01"),
    ],
)
def test_nothing_else_is_guessed(value):
    assert phone_numbers.repair(value) is None


@pytest.mark.parametrize("typed", ["061234CAFE", "0612345ABC", "Léa 0639987001", "0639987001x"])
def test_letters_are_no_digits(typed):
    assert not phone_numbers.is_number(typed)
