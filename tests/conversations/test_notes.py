"""Notes beside the messages of a thread."""

from __future__ import annotations

from raspisms.conversations import actions, threads
from tests.conversations.steps import hears, the_conversation


def test_notes_are_on_the_page_of_the_message_before_them(here):
    for number in range(20):
        hears(here, f"{number}")
    actions.note(the_conversation().id, 1, "ici")
    for number in range(20, 20 + threads.PAGE):
        hears(here, f"{number}")
    newest = threads.thread(the_conversation())
    older = threads.thread(the_conversation(), before=newest.before)
    assert [item.text for item in older.items][-2:] == ["19", "ici"]
    assert "ici" not in [item.text for item in newest.items]
