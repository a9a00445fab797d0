"""
crm_ticket: tickets of multi-site clusters; who holds one may run what depends on it.

XML since 2.1.8. Before, `--query-xml` prints the ticket's element behind a heading, which is read as well; the list of
all tickets is `crm_mon`'s, in XML everywhere.
"""

from __future__ import annotations

from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv, options
from tocsin_ocf.pacemaker.crm_mon import status
from tocsin_ocf.pacemaker.document import document, done, true
from tocsin_ocf.pacemaker.faults import Unreadable
from tocsin_ocf.pacemaker.values import ClusterStatus, Ticket
from tocsin_ocf.pacemaker.version import Version, xml_options

USUAL = ("id", "granted", "standby", "last-granted", "status")


def list_tickets() -> Request[ClusterStatus]:
    """Ask for all tickets: the `tickets` of the answer."""
    return status(include="tickets")


def query(installed: Version, ticket: str) -> Request[Ticket]:
    """Ask for a ticket with its attributes; NoSuchObject."""
    words = (*xml_options("crm_ticket", installed), f"--ticket={ticket}", "--query-xml")
    return Request(argv("crm_ticket", *words), TIMEOUT, parse=_ticket)


def _ticket(reply: Reply) -> Ticket:
    root = document(reply)
    found = root if root.tag == "ticket_state" else root.find("tickets/ticket")
    if found is None:
        raise Unreadable("no ticket in the reply")
    return Ticket(
        found.get("id", ""),
        granted=true(found, "granted"),
        standby=true(found, "standby"),
        last_granted=found.get("last-granted", ""),
        attributes={name: value for name, value in found.attrib.items() if name not in USUAL},
    )


def grant(ticket: str) -> Request[None]:
    """Give the ticket to this site, by force: see to it yourself that no other has it."""
    return _change(ticket, "--grant", "--force")


def revoke(ticket: str) -> Request[None]:
    """Take the ticket from this site, by force: what depends on it ends as its loss-policy says."""
    return _change(ticket, "--revoke", "--force")


def standby(ticket: str) -> Request[None]:
    """End what depends on a ticket in an orderly way, without its loss-policy."""
    return _change(ticket, "--standby")


def activate(ticket: str) -> Request[None]:
    """End the standby of a ticket."""
    return _change(ticket, "--activate")


def set_attribute(ticket: str, name: str, value: str) -> Request[None]:
    """Set an attribute of a ticket, beyond "granted" and "standby", which are changed by name."""
    return _change(ticket, *options(set_attr=name, attr_value=value))


def delete_attribute(ticket: str, name: str) -> Request[None]:
    """Remove an attribute of a ticket."""
    return _change(ticket, *options(delete_attr=name))


def cleanup(ticket: str) -> Request[None]:
    """Forget the state of a ticket at this site, by force."""
    return _change(ticket, "--cleanup", "--force")


def _change(ticket: str, *words: str) -> Request[None]:
    return Request(argv("crm_ticket", f"--ticket={ticket}", *words), TIMEOUT, parse=done)
