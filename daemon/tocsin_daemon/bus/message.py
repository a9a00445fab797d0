"""
What the bytes of D-Bus mean: authentication and messages, bytes in and values out. No I/O.

The format is jeepney's to know; nobody else here imports it. See the D-Bus specification, "Authentication Protocol"
and "Message Protocol".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    Message,
    MessageFlag,
    MessageType,
    new_method_call,
)
from jeepney.auth import BEGIN, AuthenticationError, Authenticator  # type: ignore[import-untyped]
from jeepney.bus import get_connectable_addresses  # type: ignore[import-untyped]
from jeepney.low_level import calc_msg_size  # type: ignore[import-untyped]

LONGEST = 1024 * 1024
"""Bytes of a message that is read; a unit's properties are 20 KiB. A longer one is skipped: it may be a stranger's."""
PREFIX = 16
"""Bytes of a message that tell how long it is."""
SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"
PRIVATE = "/run/systemd/private"
"""Where systemd itself listens for root, as systemctl uses it where no bus is."""


class Garbage(Exception):
    """The other end does not speak D-Bus, or not to us; the connection is of no use."""


@dataclass(frozen=True)
class Address:
    """A socket to connect to (abstract: it begins with NUL); a `direct` one leads to systemd itself, without a bus."""

    path: str
    direct: bool = False


@dataclass(frozen=True)
class Call:
    """A method called: of what object, and with what arguments."""

    destination: str
    path: str
    interface: str
    member: str
    signature: str = ""
    body: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came of the call with this serial: values, or the name of an error and its text."""

    serial: int
    body: tuple[Any, ...]
    error: str = ""


@dataclass(frozen=True)
class Signal:
    """Something that `sender`, a unique name that the bus vouches for, says has happened."""

    sender: str
    path: str
    interface: str
    member: str
    body: tuple[Any, ...]


@dataclass(frozen=True)
class Rule:
    """Which signals we want to hear ("Match Rules"); what is empty does not matter."""

    sender: str
    interface: str
    member: str
    path: str = ""
    first: str = ""
    """The first argument."""

    def __str__(self) -> str:
        """Return it as AddMatch wants it."""
        keys = (("sender", self.sender), ("interface", self.interface), ("member", self.member), ("path", self.path))
        words = [f"{key}='{value}'" for key, value in (*keys, ("arg0", self.first)) if value]
        return ",".join(["type='signal'", *words])


def addresses(environment: Mapping[str, str], *, root: bool) -> Iterator[Address]:
    """Yield where systemd can be asked, the best place first."""
    try:
        for path in get_connectable_addresses(environment.get("DBUS_SYSTEM_BUS_ADDRESS") or SYSTEM_BUS):
            yield Address(path)
    except (ValueError, RuntimeError):  # what the variable says is of no use
        yield Address(SYSTEM_BUS.partition("=")[2])
    if root:
        yield Address(PRIVATE, direct=True)


class Conversation:
    """One connection, from its first byte on."""

    def __init__(self) -> None:
        """Begin with the authentication as whoever we are (EXTERNAL)."""
        self._login = Authenticator()
        self._buffer = bytearray()
        self._skip = 0
        self._serial = 0

    @property
    def open(self) -> bool:
        """Tell whether messages may be sent."""
        return bool(self._login.authenticated)

    def opening(self) -> bytes:
        """Return what is to be sent first."""
        return bytes(self._login.data_to_send() or b"")

    def call(self, call: Call) -> tuple[int, bytes]:
        """Return the serial of a call, and its bytes; nothing is to be started for the sake of an answer."""
        self._serial = self._serial % 0xFFFFFFFF + 1
        to = DBusAddress(call.path, call.destination or "-", call.interface)
        message = new_method_call(to, call.member, call.signature or None, call.body)
        message.header.flags = MessageFlag.no_auto_start
        if not call.destination:  # there is nobody else at the other end
            del message.header.fields[HeaderFields.destination]
        return self._serial, bytes(message.serialise(self._serial))

    def feed(self, data: bytes) -> tuple[bytes, list[Answer | Signal]]:
        """Return what is to be sent now, and what was heard; Garbage."""
        try:
            if self.open:
                return b"", [heard for raw in self._messages(data) for heard in read(raw)]
            self._login.feed(data)
        except (AuthenticationError, ValueError, LookupError, TypeError, struct.error, RecursionError) as error:
            raise Garbage(str(error) or type(error).__name__) from None
        return (BEGIN if self.open else b""), []

    def _messages(self, data: bytes) -> Iterator[bytes]:
        """Cut out whole messages, without those that are too long."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._buffer += data[skipped:]
        while len(self._buffer) >= PREFIX:
            size = calc_msg_size(bytes(self._buffer[:PREFIX]))
            if size > LONGEST:
                self._skip = max(0, size - len(self._buffer))
            elif size > len(self._buffer):
                return
            else:
                yield bytes(self._buffer[:size])
            del self._buffer[:size]


def read(raw: bytes) -> Iterable[Answer | Signal]:
    """Yield what a message says, if that is for us: nobody has methods of ours to call."""
    message = Message.from_buffer(raw)
    fields, body = message.header.fields, tuple(message.body)
    kind = message.header.message_type
    if kind is MessageType.method_return:
        yield Answer(fields[HeaderFields.reply_serial], body)
    elif kind is MessageType.error:
        yield Answer(fields[HeaderFields.reply_serial], body, fields[HeaderFields.error_name])
    elif kind is MessageType.signal:
        path, interface, member = HeaderFields.path, HeaderFields.interface, HeaderFields.member
        yield Signal(fields.get(HeaderFields.sender, ""), fields[path], fields[interface], fields[member], body)


def plain(properties: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Return properties (a{sv}) without the signatures of their values."""
    return {name: value for name, (_, value) in properties.items()}
