"""What columns are called, in French and English, by people and by programs: words, and what they say of a column."""

from __future__ import annotations

import re

from ...sms.folding import fold
from .lines import Role


def _set(some: str) -> frozenset[str]:
    return frozenset(some.split())


# Words that say nothing by themselves.
SILENT = _set("de du des d la le les l un une et ou votre vos mon ma mes son sa ses au aux a en of the your my and num")
NUMBERS = _set("tel tels telephone telephones phone phones portable portables mobile mobiles gsm sms cell")
# "numero" counts alone or beside these; a number of a licence or of a street is none.
BARE_NUMBERS = _set("numero numeros number numbers no n")
MOBILE_WORDS = _set("portable portables mobile mobiles gsm sms cell")
# A column of numbers that are not this person's, or of something about them.
NO_NUMBERS = _set(
    "fax telecopie telecopieur urgence urgences emergency prevenir contacter medecin docteur doctor conjoint "
    "conjointe epoux epouse spouse partner employeur employer ecole secretariat mairie ancien ancienne old "
    "former precedent precedente utiliser plus pas sans aucun accident ice type label libelle adherent "
    "licence client dossier matricule allocataire identifiant siret siren iban bic securite rue adresse "
    "address modele marque operateur home_page consentement accord commentaire commentaires comment comments "
    "remarque remarques observation observations note notes message messages"
)
# Numbers of somebody who is near: taken where the person has none of their own.
OF_OTHERS = _set(
    "pere mere papa maman parent parents responsable responsables tuteur tutrice father mother guardian mari femme "
    "fils fille frere soeur grand autre secondaire second"
)
# What stands before the numbers of a country, in a column of its own.
CALLING_CODES = frozenset({"indicatif", "indicatif pays", "country code", "code pays", "calling code", "prefixe"})
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
    "inscrit benevole joueur joueuse assure assuree candidat candidate stagiaire"
)
# Beside a name, these change nothing of what it is.
BESIDE_NAMES = PEOPLE | _set("obligatoire usuel usage 1er premier contact names 1 2 public saved")
# A name that is one for want of a better.
WEAK_NAMES = frozenset({"contact", "nom contact", "qui", "personne"})
FIRST_NAMES = frozenset({"prenom", "prenoms", "first name", "firstname", "given name", "given names", "forename"})
LAST_NAMES = frozenset(
    {
        *("nom", "noms", "last name", "lastname", "surname", "nom famille", "family name", "familyname", "nom usage"),
        *("nom naissance", "nom marital", "patronyme"),
    }
)
CONSENT = _set(
    "accord accords consentement consent consents autorisation autorise accepte acceptez acceptation accepts agree "
    "souhaite souhaitez recevoir receive optin opt rgpd gdpr abonne"
)
# A yes in such a column is a no.
REFUSAL = _set(
    "refus refuse pas non sans retrait oppose opposition stop optout out desabonne desabonnes desinscrit unsubscribed "
    "no not never ne plus aucun bloque bloquer blocked blacklist exclu exclure interdit interdiction"
)
BY_SMS = _set("sms texto textos")
# An agreement to something else.
NOT_BY_SMS = _set("photo photos image images video newsletter lettre")
BY_MAIL = _set("mail mails email emails courriel")
FOR_ADVERTISING = _set("publicite publicitaire pub marketing commercial commerciale promotion promotions promo")
# Who agrees to be told something has agreed to no advertising by that.
FOR_INFORMATION = _set("info infos information informations alerte alertes rappel rappels convocation convocations")
BIRTHDAYS = frozenset(
    {
        *("birthday", "birthdate", "bday", "anniversaire", "naissance", "date naissance", "date birth", "ne le"),
        *("nee", "ne", "ne nee", "ne e", "date anniversaire", "birth date", "dob", "ddn", "d d n"),
        *("anniv", "date naiss", "naiss"),
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
    "identifiant reference ref langue language pays country site web url niveau categorie nationalite profession "
    "fonction poste equipe intitule matricule quartier"
)


# "Prénom(s)", "Né(e)": endings; "(JJ/MM/AAAA)", "(obligatoire)": remarks.
ENDING = re.compile(r"\((?:s|e|es|x|nt)\)", re.IGNORECASE)
REMARK = re.compile(r"\([^)]*\)")


def words(heading: str) -> list[str]:
    """The words of a heading, without accents, case or signs; those that say nothing are left out."""
    plain = ENDING.sub("", heading.replace("-", ""))
    apart = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", plain)  # mobilePhone
    found = re.findall(r"[^\W_]+", fold(apart))
    return [word for word in found if word not in SILENT]


def role_of(heading: str) -> Role | None:
    """What a column with this heading is, as far as its heading says."""
    said = words(heading)
    if not said:
        return None
    known = frozenset(said)
    if is_consent(known):
        return _of_consent(known)
    if known & EMAILS or " ".join(said) in MAIL_ADDRESSES:
        return Role.DATA if known & {"label", "type"} else Role.EMAIL
    if is_number(known):
        return Role.NUMBER
    return _by_phrase(words(REMARK.sub(" ", heading)))


def _by_phrase(said: list[str]) -> Role | None:
    """What the words together say; beside a name, whose it is changes nothing."""
    phrase, plain = " ".join(said), [word for word in said if word not in BESIDE_NAMES]
    if phrase in CALLING_CODES:
        return Role.CALLING_CODE
    if set(plain) == {"nom", "prenom"}:
        return Role.NAME
    for role, phrases in BY_PHRASE.items():
        if phrase in phrases:
            return role
    found = next((role for role, phrases in BY_PHRASE.items() if " ".join(plain) in phrases), None)
    if found is None and said and plain[:2] == ["date", "naissance"]:
        return Role.BIRTHDAY
    return found if found is not Role.TOWN else None


def is_exact(heading: str) -> bool:
    """Whether a heading says what it is without a word about whose it is."""
    phrase = " ".join(words(heading))
    return phrase in FIRST_NAMES | LAST_NAMES


def is_weak_name(heading: str) -> bool:
    """Whether it is a name only where nothing else is."""
    return " ".join(words(heading)) in WEAK_NAMES


def is_consent(known: frozenset[str]) -> bool:
    """Whether these words ask for an agreement, or tell of a refusal, of something that is sent."""
    return bool(known & CONSENT) or bool(known & REFUSAL and known & (BY_SMS | BY_MAIL))


def _of_consent(known: frozenset[str]) -> Role:
    """An agreement or a refusal, as far as it is about SMS; the day of one."""
    if "date" in known and not known & (NOT_BY_SMS | BY_MAIL):
        return Role.CONSENT_DATE
    is_of_another_kind = known & NOT_BY_SMS or (known & FOR_INFORMATION and not known & FOR_ADVERTISING)
    if not known & BY_SMS or (is_of_another_kind and not known & REFUSAL):
        return Role.DATA
    return Role.REFUSAL if known & REFUSAL else Role.CONSENT


def is_number(known: frozenset[str]) -> bool:
    """Whether these are words for telephone numbers of the person."""
    if known & NO_NUMBERS:
        return False
    return bool(known & NUMBERS) or (bool(known & BARE_NUMBERS) and known <= BARE_NUMBERS | NUMBERS | {"contact"})


def nearness(heading: str) -> tuple[bool, bool]:
    """What telephone columns are ordered by: the person's own before those of others, mobiles before the rest."""
    known = frozenset(words(heading))
    return bool(known & OF_OTHERS), not known & MOBILE_WORDS


def is_bare_number(heading: str) -> bool:
    """Whether it says "number" without saying of what."""
    known = frozenset(words(heading))
    return bool(known) and known <= BARE_NUMBERS


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
    return not known & NO_NUMBERS and not known & {"date", "naissance", "code", "id", "mail", "email"}
