"""Where a server listens, by which names it may be asked, and whether others can reach it."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from contextlib import suppress

from aares.errors import AaresError

LOCAL = ("127.0.0.1", "localhost", "[::1]")


class ServeError(AaresError):
    """The server cannot listen where it is told to."""


def list_hosts(host: str) -> set[str]:
    """List the names by which a server may be asked that listens at an address.

    Parameters
    ----------
    host : str

    Returns
    -------
    set of str

    Examples
    --------
    >>> sorted(list_hosts("127.0.0.1"))
    ['127.0.0.1', '[::1]', 'localhost']
    """
    names = {*LOCAL, _bracket(host.lower())}
    if not is_local(host):
        name = socket.gethostname().lower()
        names |= {name, f"{name}.local", *map(_bracket, _list_addresses(name))}
    return names


def _list_addresses(name: str) -> set[str]:
    """Return the addresses of this machine."""
    found = set()
    with suppress(OSError):
        found |= {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(name, None)}
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: the system only picks a way there
        found.add(probe.getsockname()[0])
    return found


def _bracket(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def is_local(host: str) -> bool:
    """Tell whether an address is reached from this computer only.

    Parameters
    ----------
    host : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_local("127.0.0.1"), is_local("::1"), is_local("0.0.0.0"), is_local("music.example")
    (True, True, False, False)
    """
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def make_token(host: str) -> str:
    """Make the token that requests need.

    Parameters
    ----------
    host : str
        Where the server listens.

    Returns
    -------
    str
        Empty where nobody else can ask.

    Examples
    --------
    >>> make_token("127.0.0.1"), len(make_token("0.0.0.0")) > 20
    ('', True)
    """
    return "" if is_local(host) else secrets.token_urlsafe(16)


def open_listener(host: str, port: int) -> socket.socket:
    """Listen at an address of this machine.

    Parameters
    ----------
    host : str
    port : int
        0: any that is free.

    Returns
    -------
    socket

    Raises
    ------
    ServeError
        The port is in use, or the address is none of this machine.

    Examples
    --------
    >>> with open_listener("127.0.0.1", 0) as listener:
    ...     listener.getsockname()[1] > 0
    True
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_REUSEADDR"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ServeError(
            f"cannot listen at {host}, port {port} ({reason}); another one: --port 0 takes any "
            "that is free"
        ) from error
    return listener


def name_address(host: str, port: int, token: str = "") -> str:
    """Return the address at which a server is asked.

    Parameters
    ----------
    host : str
    port : int
    token : str
        Part of the address, unless it is empty.

    Returns
    -------
    str

    Examples
    --------
    >>> name_address("::1", 8008, "a-secret")
    'http://[::1]:8008/?token=a-secret'
    """
    shown = host
    if host in ("0.0.0.0", "::"):
        shown = next(iter(sorted(_list_addresses(socket.gethostname()) - {"127.0.1.1"})), host)
    return f"http://{_bracket(shown)}:{port}/" + (f"?token={token}" if token else "")
