"""The words that people read for our states; RaspiSMS's own where it has one."""

from __future__ import annotations

from .i18n import N_
from .models import CampaignState, Fate, ImportState, Message, PhoneStatus, Status

STATUS_LABELS: dict[Status, str] = {
    Status.HELD: N_("Part bientôt"),
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
    Status.HELD: N_("Écrit ; peut encore être annulé."),
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

CAMPAIGN_LABELS: dict[CampaignState, str] = {
    CampaignState.DRAFT: N_("Brouillon"),
    CampaignState.SCHEDULED: N_("Programmée"),
    CampaignState.SENDING: N_("En cours"),
    CampaignState.PAUSED: N_("Suspendue"),
    CampaignState.DONE: N_("Terminée"),
    CampaignState.CANCELLED: N_("Annulée"),
}

FATE_LABELS: dict[Fate, str] = {
    Fate.KEPT: N_("Recevra le SMS"),
    Fate.OPTED_OUT: N_("A envoyé STOP"),
    Fate.SUSPECTED: N_("A peut-être envoyé STOP"),
    Fate.INVALID: N_("Numéro invalide"),
    Fate.DUPLICATE: N_("Choisi deux fois"),
    Fate.HOUSEHOLD: N_("Même numéro qu’une autre personne"),
    Fate.NO_CONSENT: N_("Sans accord pour la publicité"),
    Fate.COUNTRY: N_("Pays non autorisé"),
    Fate.TO_CORRECT: N_("Numéro à corriger"),
    Fate.EMPTY: N_("Texte vide"),
    Fate.TOO_LONG: N_("Texte trop long"),
    Fate.GONE: N_("Contact supprimé ou changé depuis"),
    Fate.MISTAKE: N_("Texte impossible à calculer"),
}

EVENT_LABELS: dict[str, str] = {
    "signed in": N_("Connexion"),
    "sign-in refused": N_("Connexion refusée"),
    "phone added": N_("Téléphone ajouté"),
    "phone changed": N_("Téléphone modifié"),
    "phone deleted": N_("Téléphone supprimé"),
    "token renewed": N_("Adresses de callback renouvelées"),
    "contact added": N_("Contact ajouté"),
    "contact deleted": N_("Contact supprimé"),
    "contacts deleted": N_("Contacts supprimés"),
    "contacts deleted by group": N_("Contacts d’un groupe supprimés"),
    "person erased": N_("Personne effacée"),
    "group added": N_("Groupe ajouté"),
    "group deleted": N_("Groupe supprimé"),
    "import apply": N_("Liste importée"),
    "import undo": N_("Import annulé"),
    "campaign launched": N_("Campagne lancée"),
    "campaign paused": N_("Campagne suspendue"),
    "campaign resumed": N_("Campagne reprise"),
    "campaign cancelled": N_("Campagne annulée"),
    "campaign left out": N_("Un envoi d’une série annulé"),
    "campaign retried": N_("Échecs renvoyés"),
    "callback tried again": N_("Callback réessayé"),
    "callback set aside": N_("Callback écarté"),
    "restoration noticed": N_("Copie restaurée remarquée"),
    "restoration decided": N_("Décision sur une copie restaurée"),
    "hours overridden": N_("Envoi hors des heures habituelles"),
    "opt-outs added": N_("Numéros ajoutés aux SMS STOP"),
    "opt-out removed": N_("Numéro retiré des SMS STOP"),
    "stop confirmed": N_("Demande d’arrêt confirmée"),
    "stop dismissed": N_("Demande d’arrêt écartée"),
    "received deleted": N_("SMS reçus supprimés"),
    "preferences changed": N_("Réglages modifiés"),
    "password changed": N_("Mot de passe changé"),
}

IMPORT_LABELS: dict[ImportState, str] = {
    ImportState.ARRIVING: N_("Réception"),
    ImportState.OPENING: N_("Lecture"),
    ImportState.UNREADABLE: N_("Illisible"),
    ImportState.READING: N_("Lecture"),
    ImportState.READY: N_("À vérifier"),
    ImportState.APPLYING: N_("Import"),
    ImportState.APPLIED: N_("Importé"),
    ImportState.UNDOING: N_("Annulation"),
    ImportState.UNDONE: N_("Annulé"),
}


def of(message: Message) -> str:
    """What people read for the state of a message (a msgid)."""
    return UNREPORTED if message.is_unreported else STATUS_LABELS[message.status]
