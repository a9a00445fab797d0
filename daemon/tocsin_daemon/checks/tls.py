"""
TLS as checks speak it: whose certificates are trusted, and in words why one is not.

pyOpenSSL and service_identity are imported when a check first needs them: a daemon whose services speak plain TCP does
without, and where they are missing that is no service's failure. A context with the system's authorities costs half a
MiB, so checks that trust the same share one, until a file of authorities changes.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.error import ConnectionAborted, ConnectionClosed
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from zope.interface import implementer

LIBRARIES = {
    "OpenSSL.SSL": "python3-openssl",
    "service_identity.pyopenssl": "python3-service-identity",
    "twisted.protocols.tls": "python3-openssl",
}
"""What TLS needs, by the Debian package that has it."""
SYSTEMS_OWN = ("/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/pki/tls/cert.pem")
"""Where Debian and RHEL keep the authorities that OpenSSL trusts by itself."""
MOST_CONTEXTS = 16
UNTRUSTED = "is of an authority that is not trusted here"
FAULTS = {
    **dict.fromkeys((2, 19, 20, 21, 27), UNTRUSTED),
    9: "is not valid yet",
    10: "has expired",
    18: "is signed by itself, and not trusted here",
    23: "was revoked",
    24: "is of an issuer that may not issue any",
    26: "is not meant for servers",
    **dict.fromkeys((66, 67, 68), "has a key or signature too weak for this machine"),
}
"""What is wrong with a certificate, by OpenSSL's number of it (openssl-verification-options(1), x509_vfy.h)."""
PLAIN = ("wrong version number", "packet length too long", "record layer failure", "http request")
"""What OpenSSL says where the other end does not speak TLS at all."""


_faults: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""What OpenSSL found wrong with the certificate of a connection; Twisted keeps its own in a connection's app data."""


class Unavailable(Exception):
    """TLS cannot be spoken from here: why."""


@implementer(IOpenSSLClientConnectionCreator)
class Tls:
    """
    How one check speaks TLS with `name`, a host name or an address: `ca` is a file of authorities, "" the system's.

    A name is sent to the server, and with `verify` the certificate must be for it and of a trusted authority.
    """

    def __init__(self, name: str, *, verify: bool, ca: str) -> None:
        """Keep what is wanted; nothing is imported or read before it is needed. ValueError: no host name."""
        self._literal = isIPAddress(name) or isIPv6Address(name)
        self._name = name if self._literal else _ascii(name)
        self._verify = verify
        self._ca = ca
        self._context: Any = None

    def fault(self) -> str:
        """Get ready for a connection that trusts what is trusted now; return why that cannot be, "" where it can."""
        try:
            self._prepare()
        except Unavailable as why:
            return str(why)
        return ""

    def _prepare(self) -> None:
        for library, package in LIBRARIES.items():
            try:
                import_module(library)
            except ImportError:
                raise Unavailable(f"TLS is not available: install {package}") from None
        stamps = tuple(map(_stamp, [self._ca] if self._ca else SYSTEMS_OWN)) if self._verify else ()
        if self._ca and self._verify:
            _demand_file(self._ca)
        self._context = context(self._ca if self._verify else "", stamps, verify=self._verify)

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:  # noqa: ANN401, N803 - as Twisted calls it
        """Return a connection that will say whom it wants to speak with."""
        connection = import_module("OpenSSL.SSL").Connection(self._context, None)
        if not self._literal:
            connection.set_tlsext_host_name(self._name.encode("ascii"))
        return connection

    def over(self, factory: Any) -> Any:  # noqa: ANN401 - factories of Twisted's
        """Return a factory whose connections speak TLS below the protocols of another one."""
        from tocsin_daemon.checks.tls_transport import BoundedFactory  # noqa: PLC0415 - needs the libraries

        return BoundedFactory(self, factory)

    def distrust(self, connection: Any) -> str:  # noqa: ANN401 - of pyOpenSSL
        """Return why the certificate of a connection is not of whom it should be, "" where it is."""
        if not self._verify:
            return ""
        identity = import_module("service_identity")
        verify = identity.pyopenssl.verify_ip_address if self._literal else identity.pyopenssl.verify_hostname
        try:
            verify(connection, self._name)
        except (identity.VerificationError, identity.CertificateError):
            return f"its certificate is not for {self._name}"
        return ""

    def why_lost(self, connection: Any, reason: BaseException | None) -> str:  # noqa: ANN401 - of pyOpenSSL
        """Return in words why a connection ended by this exception; "" where TLS had no part in it."""
        if connection in _faults:
            return _faults[connection]
        if isinstance(reason, ConnectionAborted):
            return "TLS failed: it sends too much that means nothing"
        if isinstance(reason, ConnectionClosed):
            return "" if connection.get_cipher_name() else "closed the connection in the middle of the TLS handshake"
        args = reason.args if reason else ()
        said = [entry[-1] for entry in args[0]] if args and isinstance(args[0], list) else []
        words = str(said[-1]) if said else type(reason).__name__
        return f"TLS failed: {words}{' (no TLS is spoken there)' if words in PLAIN else ''}"


@lru_cache(maxsize=MOST_CONTEXTS)
def context(ca: str, stamps: tuple[object, ...], *, verify: bool) -> Any:  # noqa: ANN401, ARG001 - the cache's key
    """Return a context for connections to servers; `stamps` change when what it has read has changed. Unavailable."""
    ssl = import_module("OpenSSL.SSL")
    made = import_module("twisted.internet.ssl").CertificateOptions().getContext()
    made.set_alpn_protos([b"http/1.1"])
    if not verify:
        return made
    try:
        made.load_verify_locations(ca) if ca else made.set_default_verify_paths()
    except ssl.Error:
        raise Unavailable(f"no certificate of an authority can be read in {ca}") from None
    made.set_verify(ssl.VERIFY_PEER | ssl.VERIFY_FAIL_IF_NO_PEER_CERT, _judge)
    return made


def _judge(connection: Any, certificate: Any, number: int, depth: int, well: int) -> bool:  # noqa: ANN401 - pyOpenSSL
    """Note the first thing that OpenSSL does not like in a chain of certificates."""
    if not well and connection not in _faults:
        whose = "its certificate" if depth == 0 else "the certificate of its issuer"
        if number in (19, 20):  # the chain is fine as far as it goes, it only ends in nobody whom we know
            whose = "its certificate"
        day = f" on {_day(certificate.get_notAfter())}" if number == 10 else ""
        fault = FAULTS.get(number, f"is not accepted (OpenSSL verification error {number})")
        _faults[connection] = f"{whose} {fault}{day}"
    return bool(well)


def _day(stamp: bytes) -> str:
    """Return YYYY-MM-DD of ASN.1's YYYYMMDDhhmmssZ."""
    text = stamp.decode("ascii", "replace")
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def _ascii(name: str) -> str:
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{name!r} is not a host name") from None


def _stamp(path: str) -> object:
    """Return what changes when a file does; None where it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return path, found.st_ino, found.st_size, found.st_mtime_ns


def _demand_file(path: str) -> None:
    """Refuse what is not a regular file that can be read, for OpenSSL would wait for a pipe; Unavailable."""
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)
        if regular:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise Unavailable(f"cannot read authorities in {path}: {(error.strerror or '').lower()}") from None
    if not regular:
        raise Unavailable(f"cannot read authorities in {path}: not a regular file")
