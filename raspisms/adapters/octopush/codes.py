"""Octopush's error codes: what each one means for people, and what it makes us do (§4.2, §4.4)."""

from __future__ import annotations

from typing import Any

from ...i18n import N_
from ..base import AccountError, AdapterError, AmbiguousError, PauseKind, RefusedError, TemporaryError
from ..http import Answer

ALREADY_ACCEPTED = 182

WRONG_CREDENTIALS = N_(
    "Octopush a refusé l’identifiant ou la clé. Copiez-les de nouveau depuis la page Identifiants API d’Octopush."
)
BLOCKED = N_("Octopush n’a pas validé ce compte, ou l’a bloqué. Écrivez à Octopush pour le rétablir.")
NO_CREDIT = N_("Le compte Octopush n’a plus assez de crédit. Rechargez-le : l’envoi reprendra tout seul.")

CREDENTIAL_CODES = frozenset({101, 401, 403})
BLOCKED_CODES = frozenset({113, 114})
CREDIT_CODES = frozenset({104, 105, 402})
BUSY_CODES = frozenset({438})
TROUBLE_CODES = frozenset({500, 501})
# A refusal that one recipient of many may have caused.
ONE_NUMBER_CODES = frozenset({103, 150, 151, 152, 153, 181})
# A refusal that lies in the number itself.
BAD_NUMBER_CODES = frozenset({103, 181})

REFUSALS: dict[int, str] = {
    103: N_("Octopush n’accepte pas ce numéro de destinataire."),
    106: N_("Octopush refuse ce numéro virtuel comme expéditeur. Vérifiez-le sur la page du téléphone."),
    107: N_("Octopush a reçu un texte vide."),
    121: N_("Octopush exige la mention STOP dans ce texte."),
    150: N_("Octopush ne dessert pas le pays de ce numéro."),
    151: N_("Octopush ne dessert pas le pays de ce numéro."),
    152: N_(
        "Octopush ne propose pas le type « low cost » vers ce pays. Choisissez « premium » sur la page du téléphone."
    ),
    153: N_("La route d’Octopush vers ce pays est saturée."),
    181: N_("Octopush refuse ce numéro de destinataire."),
    189: N_("Octopush trouve ce texte trop long."),
    208: N_("Octopush refuse le type de SMS. Choisissez-en un autre sur la page du téléphone."),
    209: N_("Votre compte Octopush n’a pas droit à ce type de SMS. Choisissez-en un autre sur la page du téléphone."),
    1340: N_("Octopush a trouvé un mot interdit dans le texte."),
    1341: N_("Octopush a trouvé un mot interdit dans l’expéditeur."),
}
REFUSED = N_("Octopush a refusé ce SMS.")


def code_of(body: dict[str, Any]) -> int:
    """The code of an answer, a number or digits (§4.1); 0 when there is none, which also means success."""
    raw = body.get("code", body.get("error_code"))
    text = str(int(raw) if isinstance(raw, float) and raw.is_integer() else raw).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0


def words_of(body: dict[str, Any], text: str) -> str:
    """The provider's own words, under whichever key they came, else the raw answer."""
    for key in ("message", "detail", "error", "errors"):
        if body.get(key):
            return str(body[key])[:500]
    return text.strip()[:500]


def error(answer: Answer) -> AdapterError:
    """What an answer that is no success means: the rows of §4.4."""
    code = code_of(answer.json)
    details: dict[str, Any] = {
        "words": words_of(answer.json, answer.text),
        "code": str(code or ""),
        "http_status": answer.status,
        "retry_after": answer.retry_after,
    }
    if code in CREDIT_CODES or (answer.status == 402 and not code):
        return AccountError(PauseKind.CREDIT, NO_CREDIT, **details)
    if code in BLOCKED_CODES:
        return AccountError(PauseKind.BLOCKED, BLOCKED, **details)
    if code in CREDENTIAL_CODES or answer.status in {401, 403}:
        return AccountError(PauseKind.CREDENTIALS, WRONG_CREDENTIALS, **details)
    if code in BUSY_CODES or answer.status == 429:
        return TemporaryError(N_("Octopush demande de ralentir. RaspiSMS attend, puis reprend tout seul."), **details)
    if code in TROUBLE_CODES:
        return AmbiguousError(
            N_("Octopush est en panne pour le moment. RaspiSMS redemande sans risque de doublon."), **details
        )
    return RefusedError(
        REFUSALS.get(code, REFUSED),
        one_number=code in ONE_NUMBER_CODES,
        bad_number=code in BAD_NUMBER_CODES,
        **details,
    )
