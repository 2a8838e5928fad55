"""Octopush, with a virtual number: sending and checking. Its callbacks are in callbacks.py.

Facts and their confidence: docs/providers/octopush.md (sections are named where they are used).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from ...i18n import N_
from ...sms import phone_numbers
from ...sms.purposes import Purpose
from ..base import (
    Accepted,
    AccountError,
    Adapter,
    AmbiguousError,
    Batch,
    Callback,
    Check,
    Item,
    TemporaryError,
    UnreadableAnswer,
    setting,
)
from ..base import Settings as BaseSettings
from ..http import Answer, HTTPClient
from . import callbacks, codes

SEND_READ_SECONDS = 30.0
CHECK_READ_SECONDS = 15.0
# No account holds, and no request costs, as much; nor has a request as many parts.
LARGEST = Decimal(1_000_000_000)


@dataclass(frozen=True)
class OctopushSettings(BaseSettings):
    """What a person copies from the Octopush account."""

    login: str = setting(
        "Octopush Login",
        help=N_("L’adresse e-mail affichée dans le cadre « Login » de la page Identifiants API d’Octopush."),
    )
    api_key: str = setting(
        "API Key",
        help=N_("La valeur du cadre « Clé API ». Elle est chiffrée et ne sera plus jamais affichée."),
        kind="secret",
    )
    number: str = setting(
        N_("Numéro de téléphone virtuel"),
        help=N_("Le numéro que vos correspondants verront, par exemple 07 55 55 11 11 ou +33755551111."),
        kind="number",
    )
    sms_type: str = setting(
        N_("Type de SMS à employer"),
        help=N_("Seul le SMS premium revient avec un accusé de réception."),
        kind="choice",
        choices={"sms_premium": "premium", "sms_low_cost": "low cost"},
        default="sms_premium",
    )


class OctopushVirtualNumber(Adapter):
    key = "octopush_virtual_number"
    label = N_("Octopush Numéro Virtuel")
    provider = "Octopush"
    endpoint = "OCTOPUSH_URL"
    support_email = "support@octopush.com"
    advice = N_(
        "L’offre d’Octopush est moins complète que celle d’OVH ou de Twilio, qui vous conviendront peut-être "
        "mieux ; ces deux fournisseurs arriveront dans RaspiSMS. Le SMS Flash n’est pas possible avec Octopush."
    )
    guide = (
        N_(
            "Ouvrez un compte sur octopush.com et demandez un devis pour un numéro virtuel, par leur page de contact. "
            "Attendez d’avoir le numéro."
        ),
        N_(
            "Dans votre compte Octopush, ouvrez la page Identifiants API : le cadre « Login » va dans Octopush Login, "
            "le cadre « Clé API » dans API Key."
        ),
        N_("Écrivez votre numéro virtuel comme un numéro de téléphone, par exemple 07 55 55 11 11."),
        N_(
            "Une fois le téléphone enregistré, envoyez à Octopush ses deux adresses de callback : la page du téléphone "
            "prépare l’e-mail."
        ),
    )
    max_recipients = 500
    max_text = 1224
    # Functional, and advertising (§2.3).
    purposes: ClassVar[Mapping[Purpose, str]] = {Purpose.INFORMATION: "alert", Purpose.ADVERTISING: "wholesale"}
    # Octopush remembers a request_id for 24 hours (§4.2, code 182); one hour is left for clocks that disagree.
    repeat_window = timedelta(hours=23)
    Settings = OctopushSettings

    def __init__(self, settings: OctopushSettings, base_url: str) -> None:
        super().__init__(settings, base_url)
        self.http = HTTPClient(base_url, {"api-login": settings.login, "api-key": settings.api_key}, self.provider)

    @property
    def number(self) -> str:
        return str(self.settings.number)

    @property
    def account(self) -> str:
        return str(self.settings.login).strip().lower()

    def submit(self, batch: Batch) -> Accepted:
        """`POST /sms-campaign/send` (§2); success is any 2xx that names a ticket (§3)."""
        answer = self.http.request("POST", "/sms-campaign/send", read_seconds=SEND_READ_SECONDS, body=self._body(batch))
        body = answer.json
        ticket = _ticket(body.get("sms_ticket"))
        if answer.ok and ticket:
            return Accepted(
                provider_id=ticket,
                cost=_amount(body.get("total_cost")),
                parts=_integer(body.get("number_of_sms_needed")),
                credit=_decimal(body.get("residual_credit")),
                taken=_integer(body.get("number_of_contacts")),  # "recipients accepted" (§3)
            )
        if codes.code_of(body) == codes.ALREADY_ACCEPTED:
            words = codes.words_of(body, answer.text)
            return Accepted(provider_id=ticket or None, words=words, code="182", taken_before=True)
        raise self._error(answer)

    def _body(self, batch: Batch) -> dict[str, Any]:
        # `type`, not `sms_type` (§2.2); `purpose`, or Octopush takes it for advertising (§2.3); the text
        # untouched, or what is sent would differ from what was counted and shown (§10).
        return {
            "text": batch.text,
            "recipients": [{"phone_number": number} for number in batch.recipients],
            "type": self.settings.sms_type,
            "purpose": self.purposes.get(batch.purpose, batch.purpose),
            "sender": self.number,
            "with_replies": True,
            "request_id": batch.request_id,
            "auto_optimize_text": False,
        }

    def _error(self, answer: Answer) -> Exception:
        if answer.status >= 500:
            return AmbiguousError(
                N_("Octopush est en panne pour le moment. RaspiSMS redemande sans risque de doublon."),
                words=codes.words_of(answer.json, ""),
                code=str(codes.code_of(answer.json) or ""),
                http_status=answer.status,
                retry_after=answer.retry_after,
            )
        if answer.ok and not codes.code_of(answer.json):
            return UnreadableAnswer(
                N_("Octopush a répondu sans donner de ticket : le SMS est peut-être parti."),
                words=answer.text[:500],
                http_status=answer.status,
            )
        if 300 <= answer.status < 400:
            return AmbiguousError(
                N_("Quelque chose d’autre qu’Octopush a répondu (une redirection). Vérifiez l’accès à Internet."),
                http_status=answer.status,
            )
        return codes.error(answer)

    def check(self) -> Check:
        """`GET /wallet/check-balance` (§5), then the list of numbers when it answers (§6)."""
        try:
            answer = self.http.request("GET", "/wallet/check-balance", read_seconds=CHECK_READ_SECONDS)
        except AmbiguousError as error:  # asking for a balance sends nothing: it is just out of reach
            raise TemporaryError(error.reason, words=error.words) from error
        if answer.status == 429 or answer.status >= 500:
            raise TemporaryError(N_("Octopush ne répond pas correctement pour le moment."), http_status=answer.status)
        if not answer.ok:
            refusal = codes.error(answer)
            if isinstance(refusal, AccountError | TemporaryError):
                raise refusal
        if not answer.ok or "amount" not in answer.json:
            raise AmbiguousError(
                N_(
                    "La réponse n’est pas celle d’Octopush. Vérifiez l’accès à Internet "
                    "(page d’accueil d’une box, proxy)."
                ),
                words=codes.words_of(answer.json, answer.text),
                http_status=answer.status,
            )
        return Check(balance=_decimal(answer.json["amount"]), warning=self._number_warning())

    def _number_warning(self) -> str | None:
        """A sentence when Octopush lists the account's numbers and ours is not one of them."""
        try:
            answer = self.http.request("GET", "/virtual-number/list", read_seconds=CHECK_READ_SECONDS)
        except (TemporaryError, AmbiguousError):
            return None
        owned = _owned_numbers(answer.data) if answer.ok else None
        if owned is None or self.number in owned:
            return None
        return N_("Octopush ne connaît pas ce numéro virtuel sur ce compte : vérifiez-le, ou demandez à Octopush.")

    @classmethod
    def read_callback(cls, callback: Callback) -> list[Item]:
        return callbacks.read(callback)


def _owned_numbers(data: Any) -> set[str] | None:
    """Numbers of `/virtual-number/list`, a list or an object around one; None when it has neither."""
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), None)
    if not isinstance(data, list):
        return None
    return {
        phone_numbers.from_provider(item["virtual_number"])
        for item in data
        if isinstance(item, dict) and item.get("virtual_number")
    }


def _ticket(value: Any) -> str:
    """The name of a request; empty for anything that is no name."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).replace("\0", "").strip()[:128]


def _decimal(value: Any) -> Decimal | None:
    """A number of a size that means something."""
    try:
        found = Decimal(str(value)[:40])
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < LARGEST else None


def _amount(value: Any) -> Decimal | None:
    """Euros that were taken: never less than nothing."""
    found = _decimal(value)
    return found if found is not None and found >= 0 else None


def _integer(value: Any) -> int | None:
    found = _decimal(value)
    return None if found is None or found != found.to_integral_value() else int(found)
