import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumber

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
        ("0692 00 00 01", "+262692000001"),
        ("06 93 00 00 02", "+262693000002"),
        ("0690 00 00 03", "+590690000003"),
        ("0691 22 00 04", "+590691220004"),
        ("0696000005", "+596696000005"),
        ("0697000006", "+596697000006"),
        ("0694000007", "+594694000007"),
        ("0639000008", "+262639000008"),
        ("0709000010", "+590709000010"),
        ("0709200011", "+262709200011"),
        ("0708400012", "+508708400012"),
        ("+33 692 00 00 01", "+262692000001"),
        ("+508 55 12 34", "+508551234"),
        ("+1 415 555 2671", "+14155552671"),
    ],
)
def test_numbers_are_read_as_people_type_them(typed, e164):
    assert phone_numbers.parse(typed) == e164


NO_NUMBERS = (
    "",
    "  ",
    "bonjour",
    "36111",
    "06 12 34",
    "+33",
    "0612345678901234",
    "06123456ab",
    "0700000008",
    "0712345678",
)


# What pages, mails and spreadsheets put between digits: blanks of other widths, marks of direction, dashes, dots.
@pytest.mark.parametrize(
    "between", [*"\u202f\u2009\u00a0\u3000\u200b\u200e\u200f\u2060\ufeff\u00ad\u2011\u2013\u00b7\u2022\t", ""]
)
def test_what_cannot_be_seen_is_no_part_of_a_number(between):
    pairs = ["06", "39", "98", "70", "01"]
    for raw in (between.join(pairs), f"\u202a{between.join(pairs)}\u202c", between.join(["+33", "6", *pairs[1:]])):
        assert phone_numbers.parse(raw) == "+33639987001"
        assert phone_numbers.read(raw) == ("+33639987001", False)
        assert phone_numbers.split(f"{raw}\n0639987002") == [*phone_numbers.split(raw), "0639987002"]


@pytest.mark.parametrize(
    "digits",
    [
        "\uff10\uff16\uff13\uff19\uff19\uff18\uff17\uff10\uff10\uff11",
        "\u0660\u0666\u0663\u0669\u0669\u0668\u0667\u0660\u0660\u0661",
    ],
)
def test_digits_are_digits_in_every_writing(digits):
    assert phone_numbers.read(digits) == ("+33639987001", False)


def test_what_only_looks_like_a_digit_is_none():
    assert phone_numbers.read("06 39 98 70 0²") == (None, False)


@pytest.mark.parametrize("typed", NO_NUMBERS)
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(phone_numbers.NotANumber):
        phone_numbers.parse(typed)


def test_every_mobile_block_of_the_plan_belongs_to_who_has_it_today():
    """Each block of ten thousand numbers: the one country code under which the plan gives it, or no number at all."""
    codes = (33, 262, 590, 594, 596, 508)
    for block in range(60_000, 80_000):
        national = f"{block}4321"
        given = [code for code in codes if phonenumbers.is_valid_number(PhoneNumber(code, int(national)))]
        assert len(given) <= 1, national
        expected = f"+{given[0]}{national}" if given else None
        if block == 63_998:  # for films and examples
            expected = f"+33{national}"
        assert phone_numbers.of_french_plan(national) == expected, national
        assert phone_numbers.read("0" + national) == (expected, False)
        for damaged in (national, f"33{national}", f"0{national}.0"):
            assert phone_numbers.read(damaged) == (expected, expected is not None), damaged
        plus = phone_numbers.read(f"+33{national}")
        assert plus == (expected, expected is not None and not expected.startswith("+33")), national
        if expected:
            assert phone_numbers.parse("0" + national) == expected
            assert phone_numbers.national(expected) == "0" + national
            assert expected.startswith(phone_numbers.beginning(national))
            assert phone_numbers.is_french_mobile(expected) is expected.startswith("+33")


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


@given(st.from_regex(r"0(?:6[0-24-8]|7[3-9])[0-9]{7}", fullmatch=True))
def test_every_mobile_number_of_the_mainland_is_taken_and_comes_back_the_same(typed):
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
