"""Yes and no, and nothing that is more than that."""

import pytest

from raspisms.sms.keywords import is_no, is_yes


@pytest.mark.parametrize(
    "text", ["oui", "Oui !", " OK ", "ok merci", "D'accord", "d’accord.", "J'y serai", "👍", "👍🏽", "Présente"]
)
def test_yes(text):
    assert is_yes(text)
    assert not is_no(text)


@pytest.mark.parametrize("text", ["non", "NON.", "Non merci", "désolé, non", "👎", "Je n'y serai pas", "Absent"])
def test_no(text):
    assert is_no(text)
    assert not is_yes(text)


@pytest.mark.parametrize(
    "text", ["", "oui mais pas jeudi", "Ok ?", "non ?", "ouistiti", "👍👎", "STOP", "oui " * 40, "?"]
)
def test_neither(text):
    assert not is_yes(text)
    assert not is_no(text)
