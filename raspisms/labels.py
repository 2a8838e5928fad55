"""The words that people read for our states; RaspiSMS's own where it has one."""

from __future__ import annotations

from .models import Message, PhoneStatus, Status
from .words import N_

STATUS_LABELS: dict[Status, str] = {
    Status.QUEUED: N_("En attente"),
    Status.SENDING: N_("Envoi en cours"),
    Status.SENT: N_("Envoyé"),
    Status.DELIVERED: N_("Délivré"),
    Status.FAILED: N_("Échec"),
    Status.UNKNOWN: N_("Inconnu"),
    Status.EXPIRED: N_("Périmé"),
    Status.CANCELLED: N_("Annulé"),
    Status.RECEIVED: N_("Reçu"),
}

# A status that says a little more than its name.
UNREPORTED = N_("Sans accusé")

# What a timeline says when the provider gave no reason of its own.
STATUS_SENTENCES: dict[Status, str] = {
    Status.QUEUED: N_("Écrit, en attente d’envoi."),
    Status.SENDING: N_("Remis au fournisseur, qui n’a pas encore répondu."),
    Status.SENT: N_("Accepté par le fournisseur."),
    Status.DELIVERED: N_("Arrivé sur le téléphone du destinataire."),
    Status.FAILED: N_("Le SMS n’est pas arrivé."),
    Status.UNKNOWN: N_("Personne ne sait dire si le SMS est arrivé."),
    Status.EXPIRED: N_("Trop tard pour être utile : le SMS n’est pas parti."),
    Status.CANCELLED: N_("Annulé avant l’envoi."),
    Status.RECEIVED: N_("Reçu."),
}

PHONE_LABELS: dict[PhoneStatus, str] = {
    PhoneStatus.AVAILABLE: N_("Disponible"),
    PhoneStatus.UNVERIFIED: N_("Non vérifié"),
    PhoneStatus.UNAVAILABLE: N_("Indisponible"),
    PhoneStatus.NO_CREDIT: N_("Plus de crédit"),
    PhoneStatus.DISABLED: N_("Désactivé"),
}


def of(message: Message) -> str:
    """What people read for the state of a message (a msgid)."""
    return UNREPORTED if message.is_unreported else STATUS_LABELS[message.status]
