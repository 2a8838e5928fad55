"""Addresses of this machine: what to listen on, and what to tell other people."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

# Nobody is there (RFC 5737); choosing the way to it sends nothing.
FAR_AWAY = ("192.0.2.1", 9)


class Unknown(Exception):
    """No address belongs to this name."""


def resolve(host: str) -> str:
    """The IP address of a name, an IPv4 one if there is one: servers listen on addresses. Raises Unknown."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise Unknown(host) from error
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return str(found[0][4][0])


def is_everywhere(host: str) -> bool:
    """Whether it means every address of this machine: to listen on, not to be called by."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def from_here(address: str) -> str:
    """Where this machine itself finds what listens on an address."""
    if is_everywhere(address):
        return "::1" if ":" in address else "127.0.0.1"
    return address


def callable_name(host: str) -> str:
    """How others call the machine that listens on `host`, as it stands in a URL."""
    name = own() if is_everywhere(host) else host
    return f"[{name}]" if ":" in name else name


def own() -> str:
    """This machine's address on its network, else its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(FAR_AWAY)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname() or "localhost"


def is_local(url: str) -> bool:
    """Whether an address can only be reached from this machine or this LAN."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".home", ".internal", ".localdomain", ".home.arpa"))
