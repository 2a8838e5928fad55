"""Numbers among other words, and whose numbers people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.sms import phone_numbers
from raspisms.sms.numbers_in_text import mobiles, numbers_in
from raspisms.sms.phone_numbers import Kind

SEPARATORS = st.sampled_from([" / ", "/", " ou ", ", ", " - ", "\n", " ::: ", " ", " (maman) ", " – "])
MOBILE = st.integers(0, 9_999).map(lambda n: f"063998{n:04}")
LANDLINE = st.integers(0, 9_999).map(lambda n: f"019900{n:04}")


def spaced(number):
    return " ".join(number[at : at + 2] for at in range(0, 10, 2))


@given(st.lists(st.tuples(st.one_of(MOBILE, LANDLINE), st.booleans(), SEPARATORS), min_size=1, max_size=4))
def test_every_number_of_a_cell_is_found_and_no_other(some):
    text = "".join((spaced(number) if wide else number) + separator for number, wide, separator in some)
    found = [one.number for one in numbers_in(text)]
    assert found == ["+33" + number[1:] for number, _, _ in some]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12/09/2026 Tom Gris 06 39 98 70 08", ["+33639987008"]),
        ("né le 01.02.2003", []),
        ("2026-09-12 18:30", []),
        ("Tél : +32 470 12 34 56 (Bruxelles)", ["+32470123456"]),
        ("06 39 98 70 0", []),
        ("SIRET 732 829 320 00074", []),
        ("FR76 3000 6000 0112 3456 7890 189", []),
    ],
)
def test_what_is_no_number_is_not_taken_for_one(text, found):
    assert [one.number for one in numbers_in(text)] == found


def test_the_same_mobile_twice_is_one():
    assert [one.number for one in mobiles(numbers_in("06 39 98 70 01, +33639987001, 01 99 00 10 01"))] == [
        "+33639987001"
    ]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+33639987001", Kind.MOBILE),
        ("+33938000009", Kind.MOBILE),
        ("+33199001001", Kind.LANDLINE),
        ("+33972000002", Kind.BOX),
        ("+33800000003", Kind.FREE),
        ("+33892700004", Kind.PREMIUM),
        ("+262262123456", Kind.LANDLINE),
        ("+262692000001", Kind.MOBILE),
        ("+12125550123", Kind.MOBILE),
        ("+32470123456", Kind.MOBILE),
        ("+3226001234", Kind.LANDLINE),
    ],
)
def test_what_a_number_is(number, kind):
    assert phone_numbers.kind(number) is kind


@pytest.mark.parametrize(
    ("countries", "typed", "number"),
    [
        (("FR",), "0470 12 34 56", "+33470123456"),  # a landline there
        (("FR",), "621 123 456", "+33621123456"),  # a zero that a spreadsheet took
        (("BE", "FR"), "0470 12 34 56", "+32470123456"),
        (("BE", "FR"), "06 39 98 70 01", "+33639987001"),
        (("CH",), "076 123 45 67", "+41761234567"),
        (("FR", "US"), "(212) 555-0123", "+12125550123"),
        (("FR",), "(212) 555-0123", None),
        (("BE",), "+33 6 39 98 70 01", "+33639987001"),
        (("BE",), "639987001", None),
        (("RE",), "0692 00 00 01", "+262692000001"),
    ],
)
def test_a_number_without_a_country_is_of_the_first_that_has_it(countries, typed, number):
    with phone_numbers.reading_as(countries):
        assert phone_numbers.read(typed)[0] == number
