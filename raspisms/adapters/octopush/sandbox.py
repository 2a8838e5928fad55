"""The same adapter, pointed at the built-in sandbox: nothing leaves this machine."""

from __future__ import annotations

from ...i18n import N_
from .adapter import OctopushVirtualNumber


class OctopushSandbox(OctopushVirtualNumber):
    key = "octopush_sandbox"
    label = N_("Bac à sable (aucun SMS réel)")
    is_training = True
    endpoint = "SANDBOX_URL"
    advice = N_(
        "Ce téléphone est un jouet : il parle à un faux Octopush sur cette machine. "
        "Aucun SMS ne part, rien n’est facturé."
    )
    provider = "bac à sable"
    support_email = ""
