import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.sms import segments


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "remaining"),
    [
        ("", "GSM-7", 0, 0, 160),
        ("a" * 160, "GSM-7", 160, 1, 0),
        ("a" * 161, "GSM-7", 161, 2, 145),
        ("a" * 306, "GSM-7", 306, 2, 0),
        ("a" * 307, "GSM-7", 307, 3, 152),
        ("a" * 1224, "GSM-7", 1224, 8, 0),
        ("€" * 80, "GSM-7", 160, 1, 0),
        # 152 + a pair: the pair is not cut in two, so one unit of the first part stays empty.
        ("a" * 152 + "€" + "b" * 7, "GSM-7", 161, 2, 144),
        ("ê" * 70, "UCS-2", 70, 1, 0),
        ("ê" * 71, "UCS-2", 71, 2, 63),
        ("ê" + "€" * 69, "UCS-2", 70, 1, 0),  # € counts one in UCS-2
        ("😀" * 35, "UCS-2", 70, 1, 0),
        ("a" * 66 + "😀" * 3, "UCS-2", 72, 2, 61),
        ("é à ù ì ò Ç É", "GSM-7", 13, 1, 147),
        ("ç", "UCS-2", 1, 1, 69),
        ("l’été", "UCS-2", 5, 1, 65),
        ("12\N{NO-BREAK SPACE}h", "UCS-2", 4, 1, 66),
        ("a\nb", "GSM-7", 3, 1, 157),
    ],
)
def test_known_texts_are_counted_as_operators_do(text, encoding, units, parts, remaining):
    counted = segments.count(text)
    assert (counted.encoding, counted.units, counted.parts, counted.remaining) == (encoding, units, parts, remaining)


def test_foreign_characters_are_named_once_in_order():
    assert segments.foreign_characters("Ça l’été, ça va être… être") == ["’", "ç", "ê", "…"]


@given(st.text())
def test_parts_hold_the_text_and_none_is_wasted(text):
    counted = segments.count(text)
    single, part = (160, 153) if counted.encoding == "GSM-7" else (70, 67)
    if counted.units <= single:
        assert counted.parts == (1 if text else 0)
    else:
        # A pair pushed to the next part leaves at most one unit empty in each.
        assert math.ceil(counted.units / part) <= counted.parts <= math.ceil(counted.units / (part - 1))
    assert 0 <= counted.remaining <= single


@given(st.text(alphabet=segments.BASIC + segments.EXTENDED))
def test_the_gsm_alphabet_never_becomes_ucs2(text):
    assert segments.count(text).encoding == "GSM-7"
    assert segments.foreign_characters(text) == []
