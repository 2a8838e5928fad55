"""The places that a person can go to: the bar of a wide window, the one of a telephone, and what has no room there."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from flask_login import current_user

from ..i18n import N_


@dataclass(frozen=True)
class Place:
    """A page, with its picture and its names (msgids)."""

    endpoint: str
    picture: str
    name: str
    short: str = ""
    """Its name in the bar of a telephone, where it has a place."""
    is_in_bar: bool = True
    for_admins: bool = False

    @property
    def is_here(self) -> bool:
        """Whether the page that is asked for belongs to it."""
        asked = request.endpoint or ""
        own, there = self.endpoint.partition(".")[0], asked.partition(".")[0]
        return asked == self.endpoint or (own == there != "home" and asked != "messages.new")


PLACES = (
    Place("home.index", "home", N_("Tableau de bord"), N_("Accueil")),
    Place("conversations.index", "bubble", N_("Discussions"), N_("Discussions")),
    Place("messages.index", "out", N_("SMS envoyés")),
    Place("received.index", "in", N_("SMS reçus")),
    Place("scheduled.index", "clock", N_("SMS programmés")),
    Place("campaigns.index", "megaphone", N_("Campagnes"), N_("Campagnes")),
    Place("contacts.index", "people", N_("Contacts"), N_("Contacts")),
    Place("groups.index", "group", N_("Groupes")),
    Place("optouts.index", "stop", N_("SMS STOP")),
    Place("texts.index", "pen", N_("Modèles de texte"), is_in_bar=False),
    Place("events.index", "book", N_("Évènements")),
    Place("statistics.index", "chart", N_("Statistiques")),
    Place("home.wall", "screen", N_("Écran mural"), is_in_bar=False),
    Place("phones.index", "phone", N_("Téléphones")),
    Place("preferences.index", "dials", N_("Réglages"), for_admins=True),
    Place("team.index", "people", N_("Équipe"), for_admins=True),
    Place("profile.index", "person", N_("Mon profil")),
)
MORE = Place("home.more", "dots", "", N_("Plus"))


def bar() -> list[Place]:
    """What the bar holds for this person; a telephone shows those with a short name."""
    return [*(place for place in _open() if place.is_in_bar), MORE]


def elsewhere() -> list[Place]:
    """What has no room in the bar of a telephone."""
    return [place for place in _open() if not place.short]


def _open() -> list[Place]:
    return [place for place in PLACES if current_user.is_admin or not place.for_admins]
