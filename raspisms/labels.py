"""The words that people read for our states; RaspiSMS's own where it has one."""

from __future__ import annotations

from .i18n import N_
from .models import Action, CampaignState, Fate, ImportState, Message, PhoneStatus, Status

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
    Fate.LANDLINE: N_("Téléphone fixe"),
    Fate.TO_CORRECT: N_("Numéro à corriger"),
    Fate.EMPTY: N_("Texte vide"),
    Fate.TOO_LONG: N_("Texte trop long"),
    Fate.GONE: N_("Contact supprimé ou changé depuis"),
    Fate.MISTAKE: N_("Texte impossible à calculer"),
}

EVENT_LABELS: dict[Action, str] = {
    Action.SIGNED_IN: N_("Connexion"),
    Action.SIGN_IN_REFUSED: N_("Connexion refusée"),
    Action.PERSON_ADDED: N_("Personne ajoutée à l’équipe"),
    Action.PHONE_ADDED: N_("Téléphone ajouté"),
    Action.PHONE_CHANGED: N_("Téléphone modifié"),
    Action.PHONE_SWITCHED_ON: N_("Téléphone activé"),
    Action.PHONE_SWITCHED_OFF: N_("Téléphone désactivé"),
    Action.PHONE_DELETED: N_("Téléphone supprimé"),
    Action.TOKEN_RENEWED: N_("Adresses de callback renouvelées"),
    Action.CONTACT_ADDED: N_("Contact ajouté"),
    Action.CONTACT_DELETED: N_("Contact supprimé"),
    Action.CONTACTS_DELETED: N_("Contacts supprimés"),
    Action.CONTACTS_DELETED_BY_GROUP: N_("Contacts d’un groupe supprimés"),
    Action.PERSON_ERASED: N_("Personne effacée"),
    Action.GROUP_ADDED: N_("Groupe ajouté"),
    Action.GROUP_DELETED: N_("Groupe supprimé"),
    Action.IMPORT_APPLY: N_("Liste importée"),
    Action.IMPORT_UNDO: N_("Import annulé"),
    Action.CAMPAIGN_LAUNCHED: N_("Campagne lancée"),
    Action.CAMPAIGN_PAUSED: N_("Campagne suspendue"),
    Action.CAMPAIGN_RESUMED: N_("Campagne reprise"),
    Action.CAMPAIGN_CANCELLED: N_("Campagne annulée"),
    Action.CAMPAIGN_LEFT_OUT: N_("Un envoi d’une série annulé"),
    Action.CAMPAIGN_RETRIED: N_("Échecs renvoyés"),
    Action.CALLBACK_TRIED_AGAIN: N_("Callback réessayé"),
    Action.CALLBACK_SET_ASIDE: N_("Callback écarté"),
    Action.NUMBERS_CORRECTED: N_("Numéros d’outre-mer corrigés"),
    Action.RESTORATION_NOTICED: N_("Copie restaurée remarquée"),
    Action.RESTORATION_DECIDED: N_("Décision sur une copie restaurée"),
    Action.HOURS_OVERRIDDEN: N_("Envoi hors des heures habituelles"),
    Action.OPT_OUTS_ADDED: N_("Numéros ajoutés aux SMS STOP"),
    Action.OPT_OUT_REMOVED: N_("Numéro retiré des SMS STOP"),
    Action.STOP_CONFIRMED: N_("Demande d’arrêt confirmée"),
    Action.STOP_DISMISSED: N_("Demande d’arrêt écartée"),
    Action.RECEIVED_DELETED: N_("SMS reçus supprimés"),
    Action.PREFERENCES_CHANGED: N_("Réglages modifiés"),
    Action.RIGHTS_CHANGED: N_("Droits changés"),
    Action.PASSWORD_CHANGED: N_("Mot de passe changé"),
}

ROLE_LABELS: dict[str, str] = {
    "number": N_("Numéro"),
    "name": N_("Nom complet"),
    "first_name": N_("Prénom"),
    "last_name": N_("Nom de famille"),
    "calling_code": N_("Indicatif du pays"),
    "consent": N_("Accord pour la publicité"),
    "refusal": N_("Refus de la publicité"),
    "consent_date": N_("Date de l’accord"),
    "birthday": N_("Anniversaire"),
    "email": N_("Adresse e-mail"),
    "town": N_("Ville"),
    "data": N_("Donnée"),
    "left_out": N_("(ne pas reprendre)"),
}
"""What a column of a list may be, by people.reading.Role."""

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


ORIGIN_LABELS: dict[str, str] = {
    "reply": N_("a répondu STOP"),
    "callback": N_("liste du fournisseur"),
    "report": N_("refus du fournisseur"),
    "person": N_("ajouté par l’équipe"),
    "import": N_("ajouté par l’équipe"),
}
"""How a number came on the list of SMS STOP."""
