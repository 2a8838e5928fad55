import pytest

from raspisms.sms.keywords import is_stop


@pytest.mark.parametrize("text", ["STOP", "stop", " Stop. ", "ARRÊT", "arret", "Arrêt !", "STOP SMS", "désabonner"])
def test_a_whole_message_that_says_stop_is_a_stop(text):
    assert is_stop(text)


@pytest.mark.parametrize(
    "text", ["", "0", "stop s'il vous plaît", "STOP 12345", "ne pas stopper", "non", "arrêt de bus"]
)
def test_other_messages_are_for_people_to_read(text):
    assert not is_stop(text)
