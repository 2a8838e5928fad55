"""What columns are called, in French and English, by people and by programs: words, and what they say of a column."""

from __future__ import annotations

import re

from ...sms.folding import fold
from .lines import Role


def _set(some: str) -> frozenset[str]:
    return frozenset(some.split())


# Words that say nothing by themselves.
SILENT = _set(
    "de du des d la le les l un une et ou votre vos mon ma mes son sa ses au aux a en of the your my and no n num"
)
NUMBERS = _set("tel tels telephone telephones phone phones portable portables mobile mobiles gsm sms cell")
# "numero" counts alone or beside these; a number of a licence or of a street is none.
BARE_NUMBERS = _set("numero numeros number numbers")
MOBILE_WORDS = _set("portable portables mobile mobiles gsm sms cell")
# A column of numbers that are not this person's, or of something about them.
NO_NUMBERS = _set(
    "fax telecopie telecopieur urgence urgences emergency type label libelle adherent licence client dossier "
    "siret siren iban bic securite rue modele marque operateur home_page consentement accord"
)
PLAIN_NAMES = frozenset(
    {
        *("nom complet", "nom prenom", "prenom nom", "name", "full name", "contact", "display name", "nom affichage"),
        *("nom contact", "identite", "personne", "qui", "nom affiche"),
    }
)
# Who is on the list, where nothing is called a name.
PEOPLE = _set(
    "adherent adherente adherents licencie licenciee membre eleve enfant usager client cliente participant "
    "participante beneficiaire salarie patient resident locataire famille parent responsable destinataire "
    "inscrit benevole"
)
FIRST_NAMES = frozenset({"prenom", "prenoms", "first name", "firstname", "given name", "given names", "forename"})
LAST_NAMES = frozenset(
    {
        *("nom", "noms", "last name", "lastname", "surname", "nom famille", "family name", "familyname", "nom usage"),
        *("nom naissance", "nom marital", "patronyme"),
    }
)
CONSENT = _set(
    "accord accords consentement consent consents autorisation autorise accepte acceptez acceptation optin "
    "opt rgpd gdpr abonne"
)
BY_SMS = _set("sms texto textos")
# An agreement to something else.
NOT_BY_SMS = _set("mail mails email emails courriel e photo photos image images video newsletter lettre")
BIRTHDAYS = frozenset(
    {
        *("birthday", "birthdate", "bday", "anniversaire", "naissance", "date naissance", "date birth", "ne le"),
        *("nee", "ne", "ne nee", "ne e", "date anniversaire", "birth date", "dob", "jour naissance", "ddn"),
    }
)
EMAILS = _set("email emails mail mails courriel courriels mel")
TOWNS = frozenset({"ville", "commune", "town", "city", "localite", "ville naissance"})
MAIL_ADDRESSES = frozenset({"adresse messagerie", "adresse electronique"})
BY_PHRASE = {
    Role.BIRTHDAY: BIRTHDAYS,
    Role.TOWN: TOWNS,
    Role.FIRST_NAME: FIRST_NAMES,
    Role.LAST_NAME: LAST_NAMES,
    Role.NAME: PLAIN_NAMES,
}
# What nobody is called by, whatever stands beside the numbers.
NO_NAMES = _set(
    "ville commune town city adresse address rue code postal cp zip classe groupe group statut status societe "
    "company organisation organization titre title civilite genre sexe gender commentaire commentaires "
    "comment note notes remarque remarques date horodateur timestamp heure prix montant tarif age id "
    "identifiant reference ref langue language pays country site web url"
)


def words(heading: str) -> list[str]:
    """The words of a heading, without accents, case or signs; those that say nothing are left out."""
    apart = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", heading.replace("-", ""))  # mobilePhone
    found = re.findall(r"[^\W_]+", fold(apart))
    return [word for word in found if word not in SILENT]


def role_of(heading: str) -> Role | None:
    """What a column with this heading is, as far as its heading says."""
    said = words(heading)
    if not said:
        return None
    known, phrase = frozenset(said), " ".join(said)
    if known & CONSENT:
        return _of_consent(known)
    if known & EMAILS or phrase in MAIL_ADDRESSES:
        return Role.DATA if known & {"label", "type"} else Role.EMAIL
    if is_number(known):
        return Role.NUMBER
    if known == {"nom", "prenom"}:
        return Role.NAME
    return next((role for role, phrases in BY_PHRASE.items() if phrase in phrases), None)


def _of_consent(known: frozenset[str]) -> Role:
    """An agreement, as far as it is about SMS; the day of one."""
    if "date" in known and not known & NOT_BY_SMS:
        return Role.CONSENT_DATE
    return Role.CONSENT if known & BY_SMS and not known & NOT_BY_SMS else Role.DATA


def is_number(known: frozenset[str]) -> bool:
    """Whether these are words for telephone numbers of the person."""
    if known & NO_NUMBERS:
        return False
    return bool(known & NUMBERS) or (bool(known & BARE_NUMBERS) and known <= BARE_NUMBERS | NUMBERS | {"contact"})


def is_mobile(heading: str) -> bool:
    """Whether the heading speaks of mobiles."""
    return bool(MOBILE_WORDS & frozenset(words(heading)))


def may_name(heading: str) -> bool:
    """Whether a column with this heading may hold names, for want of a better one."""
    return not frozenset(words(heading)) & (NO_NAMES | CONSENT | NO_NUMBERS - PEOPLE)


def speaks_of_people(heading: str) -> bool:
    """Whether it names who is on the list: "Adhérent", "Élève"."""
    said = words(heading)
    return len(said) <= 2 and bool(PEOPLE & frozenset(said)) and not frozenset(said) & (NO_NAMES | BARE_NUMBERS)


def may_hold_numbers(heading: str) -> bool:
    """Whether a column that holds what reads as telephone numbers may hold this person's."""
    known = frozenset(words(heading))
    return not known & NO_NUMBERS and not known & {"date", "naissance", "code", "id"}
