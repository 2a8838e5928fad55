"""What an SMS is sent for: the law and every provider tell the two apart, each in words of its own."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """Each adapter says how its provider calls them."""

    INFORMATION = "information"
    """An appointment, an alert, the life of an association: at any hour, without a mention."""
    ADVERTISING = "advertising"
    """An offer, a sale, a call for donations: with consent, at its hours, saying how to stop it (docs/rules.md)."""
