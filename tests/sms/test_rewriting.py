"""Saying the same for less money, and changing nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.sms.rewriting import without_foreign
from raspisms.sms.segments import BASIC, EXTENDED, count, foreign_characters


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("Ça va, garçon ?", "Ça va, garcon ?"),  # the capital is free, the small one costs
        ("L’été où naît l’œuvre", "L'été où nait l'oeuvre"),
        ("« Noël » – 20 °C…", '"Noel" - 20 oC...'),
        ("Prix\N{NARROW NO-BREAK SPACE}: 5\N{NO-BREAK SPACE}€", "Prix : 5 €"),
        ("Déjà payé à 100 €", "Déjà payé à 100 €"),
        ("Bravo 🎉", "Bravo 🎉"),  # nothing else says it
        ("ෲ", "ෲ"),  # made of marks only
    ],
)
def test_only_what_costs_is_rewritten(text, rewritten):
    assert without_foreign(text) == rewritten


@given(st.text(alphabet=BASIC + EXTENDED))
def test_what_is_free_stays_as_it_is(text):
    assert without_foreign(text) == text


@given(st.text())
def test_rewriting_twice_changes_nothing_more_and_never_costs_more_characters_of_ours(text):
    once = without_foreign(text)
    assert without_foreign(once) == once
    assert set(foreign_characters(once)) <= set(foreign_characters(text))


@given(st.text(alphabet="aàâçéèêëîïôùûüœ’ «»…\N{NO-BREAK SPACE}", min_size=1))
def test_french_is_always_gsm7_afterwards(text):
    assert count(without_foreign(text)).encoding == "GSM-7"
