"""The command line: one file per command group."""

from __future__ import annotations

import click

from ..i18n import N_, say
from . import campaign, contacts, db, demo, message, phone, sandbox, send, up, user, worker


@click.group(help=say(N_("RaspiSMS : envoyer et recevoir des SMS en équipe, depuis un numéro partagé.")))
@click.version_option(package_name="raspisms")
def main() -> None:
    pass


for command in (
    up.up,
    worker.worker,
    db.db,
    user.user,
    phone.phone,
    send.send,
    message.message,
    campaign.campaign,
    contacts.contacts_group,
    sandbox.sandbox,
    demo.demo,
):
    main.add_command(command)
