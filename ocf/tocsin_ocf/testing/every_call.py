"""Rules that hold for every call."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin_ocf.testing import call_rules as calls
from tocsin_ocf.testing.observed import PREFIX, Call, Observations, Verdict, judged, skipped
from tocsin_ocf.testing.rule import MUST, SHOULD, Rule

CODES = frozenset({*range(10), 190, 191})
"""Every exit status that OCF 1.1 defines."""
WELL = {"monitor": {0, 3, 5, 7, 8, 190, 191}}
"""What needs no exit reason: success, what is not supported, and for a monitor a state."""
DESCRIBES = {"meta-data", "usage", "no-such-action", ""}
LONGEST = 128
"""Bytes of an exit reason that Pacemaker keeps up to 3.0.1; cut inside a letter, it leaves an unreadable CIB."""
NOT_EXECUTABLE = 126
CUT_OFF = "start cut off"
"""The one call that is killed on purpose."""
REASON = "Pacemaker: an exit reason is the last ocf-exit-reason: on stderr"


def _acting(seen: Observations) -> Iterator[tuple[str, Call]]:
    """Yield the calls of actions that do or look, not those that describe the agent."""
    for label, call in seen.calls.items():
        if call.action not in DESCRIBES and call.code != calls.UNIMPLEMENTED:
            yield label, call


def _reasons(seen: Observations) -> list[tuple[str, str]]:
    return [(label, call.reason) for label, call in seen.calls.items() if call.reason is not None]


def _present(seen: Observations) -> Verdict:
    failed = [(label, call) for label, call in _acting(seen) if not call.killed]
    failed = [(label, call) for label, call in failed if call.code not in WELL.get(call.action, {0})]
    if not failed:
        return skipped("no call failed")
    mute = [f"{label}: {calls.code_of(call)} without a reason" for label, call in failed if not call.reason]
    return judged(mute, f"{len(failed)} failures, each with its reason")


def _ascii(seen: Observations) -> Verdict:
    found = _reasons(seen)
    bad = [f"{label}: {reason!a}" for label, reason in found if not (reason.isascii() and reason.isprintable())]
    return judged(bad, f"{len(found)} reasons") if found else skipped("no exit reason was given")


def _short(seen: Observations) -> Verdict:
    found = [(label, len(reason.encode("utf-8", "surrogateescape"))) for label, reason in _reasons(seen)]
    long = [f"{label}: {length} bytes" for label, length in found if length > LONGEST]
    if not found:
        return skipped("no exit reason was given")
    return judged(long, f"at most {max(length for _, length in found)} bytes")


def _last(seen: Observations) -> Verdict:
    if not _reasons(seen):
        return skipped("no exit reason was given")
    followed = [
        (label, call.err.rpartition(PREFIX)[2].partition("\n")[2].strip()) for label, call in seen.calls.items()
    ]
    bad = [f"{label}: followed by {rest}" for label, rest in followed if rest and PREFIX in seen.calls[label].err]
    return judged(bad, "nothing follows on stderr")


def _stdout(seen: Observations) -> Verdict:
    found = list(_acting(seen))
    bad = [
        f"{label}: {call.out.strip()}" for label, call in found if call.out.strip() and call.action != "validate-all"
    ]
    return judged(bad, f"{len(found)} calls") if found else skipped("nothing but meta-data was called")


def _codes(seen: Observations) -> Verdict:
    bad = [f"{label}: {calls.code_of(call)}" for label, call in seen.calls.items() if not _defined(label, call)]
    return judged(bad, f"{len(seen.calls)} calls")


def _defined(label: str, call: Call) -> bool:
    """Tell whether a call ended as the standard knows it; who may not execute the agent is another rule's."""
    return call.code in CODES or call.killed or not call.action or (" as " in label and call.code == NOT_EXECUTABLE)


def _ended(seen: Observations) -> Verdict:
    late = {label: call for label, call in seen.calls.items() if call.killed and call.action and label != CUT_OFF}
    return judged([f"{label}: {calls.code_of(call)}" for label, call in late.items()], f"{len(seen.calls)} calls")


def _let_go(seen: Observations) -> Verdict:
    held = [label for label, call in seen.calls.items() if call.held]
    return judged([f"{label}: what it left running holds stdout or stderr" for label in held], "nothing holds them")


EVERY_RULES = (
    Rule("exit-status", "OCF 1.1 Exit Status Codes", MUST, ("meta-data",), _codes),
    Rule("in-time", "Pacemaker: an action over its timeout is killed", MUST, ("meta-data",), _ended),
    Rule("stdout", calls.META, SHOULD, ("meta-data",), _stdout),
    Rule("output-released", "Pacemaker: stdout and stderr are pipes", SHOULD, ("meta-data",), _let_go),
    Rule("exit-reason", "resource-agents: ra-dev-guide.asc; OCF_EXIT_REASON_PREFIX", SHOULD, ("meta-data",), _present),
    Rule("exit-reason-ascii", REASON, MUST, ("meta-data",), _ascii),
    Rule("exit-reason-length", f"{REASON}; 128 bytes", MUST, ("meta-data",), _short),
    Rule("exit-reason-last", REASON, SHOULD, ("meta-data",), _last),
)
