"""All faults of an agent's parameters at once, before something is done with them; and those of its declaration."""

import sys

from tocsin_ocf.exit_codes import OCF_ERR_CONFIGURED, REASON_BYTES, ActionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from tocsin_ocf.agent import Asked
    from tocsin_ocf.declared import Declaration

SHORT = 60
ROLES = ("", "Promoted", "Unpromoted", "Started", "Stopped")
LIGHTEST = ("start", "stop", "monitor")


def demand(agent: "Declaration", asked: "Asked") -> None:
    """Raise ActionFailed for faulty parameters; log which should not be set."""
    found = faults(agent, asked)
    if found:
        refuse(OCF_ERR_CONFIGURED, found)
    for said in deprecated(agent, asked):
        asked.log.warning(said)


def faults(agent: "Declaration", asked: "Asked") -> "list[str]":
    """Return what no node could accept, a line for each parameter."""
    found = []
    for row in agent.parameters:
        try:
            row.of(asked)
        except ActionFailed as failed:
            found.append(failed.reason)
    return found


def deprecated(agent: "Declaration", asked: "Asked") -> "Iterator[str]":
    """Yield what is set, counts, and should not be set any more."""
    for row in agent.parameters:
        if row.deprecated and asked.parameter(row.name):
            yield f"parameter {row.name} is deprecated: {row.deprecated}"
        if row.formerly and asked.parameter(row.formerly):
            yield f"parameter {row.formerly} is deprecated: it is called {row.name} now"


def refuse(code: int, found: "list[str]") -> "NoReturn":
    """Print all faults, and raise the first with how many more there are."""
    sys.stderr.write("".join(f"{fault}\n" for fault in found))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    raise ActionFailed(code, f"{found[0][: REASON_BYTES - len(more)]}{more}")


def mistakes(agent: "Declaration") -> "list[str]":
    """Return what is wrong with a declaration."""
    names = [row.name for row in agent.parameters] + [row.formerly for row in agent.parameters if row.formerly]
    found = [f"parameter {name}: declared {names.count(name)} times" for name in {*names} if names.count(name) > 1]
    for row in agent.parameters:
        if row.required and row.default:
            found.append(f"parameter {row.name}: required, and a default; one of them is of no use")
        if not 0 < len(row.short) <= SHORT or not row.long:
            found.append(f"parameter {row.name}: wants a title of at most {SHORT} characters, and a text")
        try:
            if row.default or not row.required:
                row.read(row.default)
        except ValueError as error:
            found.append(f"parameter {row.name}: its default {row.default!r} is wrong; {error}")
    return sorted(found) + _of_actions(agent)


def _of_actions(agent: "Declaration") -> "list[str]":
    rows = agent.actions
    names = {row.name for row in rows}
    found = [f"action {name}: missing" for name in LIGHTEST if name not in names]
    if any(row.reloadable for row in agent.parameters) != ("reload-agent" in names):
        found.append("action reload-agent: it and reloadable parameters go together")
    if ("promote" in names) != ("demote" in names):
        found.append("action promote, demote: both or neither")
    every = [row.interval for row in rows if row.name == "monitor"]
    if len({*every}) < len(every):
        found.append("action monitor: two with the same interval; Pacemaker tells them apart by it alone")
    return found + [f"action {row.name}: no role {row.role}" for row in rows if row.role not in ROLES]
