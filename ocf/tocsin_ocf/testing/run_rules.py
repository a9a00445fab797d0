"""Rules of what only --run does: start, stop, roles, and what a dying service and a killed start leave."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch

from tocsin_ocf.testing.call_rules import UNIMPLEMENTED, code_of
from tocsin_ocf.testing.observed import Call, Observations, Verdict, judged, skipped
from tocsin_ocf.testing.rule import MUST, SHOULD, Rule

START = "OCF 1.1 Mandatory Actions: start"
STOP = "OCF 1.1 Mandatory Actions: stop"
MONITOR = "OCF 1.1 Mandatory Actions: monitor"
TWICE = "OCF 1.1 Resource Agent Actions"
OPTIONAL = "OCF 1.1 Optional Actions"
UP, PROMOTED, STOPPED = (0, 190), (8, 191), (7,)
REPEATED = ("monitor 1", "monitor 2", "monitor 3", "probe of the running")
AFTER = ("start again", "monitor after start again")


def _told(label: str, call: Call) -> str:
    text = call.err.strip()[-200:]
    return f"{label}: {code_of(call)}{': ' if text else ''}{text}"


def _ends(*labels: str, codes: tuple[int, ...] = (0,)) -> Callable[[Observations], Verdict]:
    """Return the judge of calls that all have to end with one of `codes`; the first was called, others may not be."""

    def judge(seen: Observations) -> Verdict:
        made = [(label, seen.calls[label]) for label in labels if label in seen.calls]
        faults = [_told(label, call) for label, call in made if call.code not in codes]
        return judged(faults, f"{code_of(made[0][1])}{f', {len(made)} times' if len(made) > 1 else ''}")

    return judge


def _same(label: str, *before: str) -> Callable[[Observations], Verdict]:
    """Return the judge of a call that has to succeed and leave running what ran at each of those `before` it."""

    def judge(seen: Observations) -> Verdict:
        call = seen.calls[label]
        lasting = frozenset.intersection(*(seen.calls[one].processes for one in before if one in seen.calls))
        gone = sorted(lasting - call.processes)
        faults = [_told(label, call)] if call.code != 0 else []
        return judged(faults + [f"ended {one}" for one in gone], "exit 0, same processes")

    return judge


def _unsupported(seen: Observations) -> Verdict:
    made = [(label, seen.calls[label]) for label in ("promote unsupported", "demote unsupported")]
    return judged([_told(label, call) for label, call in made if call.code != UNIMPLEMENTED], "exit 3")


def _promotes(seen: Observations) -> Verdict:
    call = seen.calls["promote"]
    if call.code == UNIMPLEMENTED:
        return skipped("exit 3: not with these parameters")
    return judged([_told("promote", call)] if call.code != 0 else [], "exit 0")


def _dead(seen: Observations) -> Verdict:
    call, killer = seen.calls["monitor of the killed"], seen.calls["kill"]
    if killer.code != 0:
        return skipped(f"the command of --kill failed: {_told('kill', killer)}")
    return judged([f"still {code_of(call)}"] if call.code in (*UP, *PROMOTED) else [], code_of(call))


def _kept(one: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether the tester said that something may stay, by its path, or by its command line."""
    words = one.split(" ", 2 if one.startswith("process ") else 1)
    return any(fnmatch(words[-1], pattern) for pattern in patterns)


def _remains(kind: str, *labels: str) -> Callable[[Observations], Verdict]:
    """Return the judge of what a stop has left that was not there before the first start."""

    def judge(seen: Observations) -> Verdict:
        before = set(seen.calls["stop of the never started"].left)
        made = [seen.calls[label] for label in labels if label in seen.calls]
        left = sorted({one for call in made for one in call.left if one.startswith(f"{kind} ")} - before)
        kept = [one for one in left if _kept(one, seen.keep)]
        also = f", but what --keep names: {', '.join(kept)}" if kept else ""
        return judged([one for one in left if one not in kept], f"after {len(made)} stops no {kind}{also}")

    return judge


def _files(seen: Observations) -> Verdict:
    if not seen.isolated:
        return skipped("others write here too; it is told only in namespaces")
    return _remains("file", "stop", "stop again")(seen)


def _ipc(seen: Observations) -> Verdict:
    if not seen.isolated:
        return skipped("others make some here too; it is told only in namespaces")
    return _remains("ipc", "stop", "stop again")(seen)


def _cgroups(seen: Observations) -> Verdict:
    if not seen.cgroups:
        return skipped("no cgroup of its own could be made for the run")
    return _remains("cgroup", "stop", "stop again")(seen)


CUT = ("stop of the cut off", "monitor of the cut off")


def _cut(seen: Observations) -> Verdict:
    stop, monitor = (seen.calls[label] for label in CUT)
    faults = [_told(CUT[0], stop)] if stop.code != 0 else []
    faults += [_told(CUT[1], monitor)] if monitor.code not in STOPPED else []
    left = sorted(stop.processes - seen.calls["stop again"].processes)
    return judged(faults + [f"left {one}" for one in left if not _kept(one, seen.keep)], "stopped, nothing left")


RUN_RULES = (
    Rule("stop-never-started", STOP, MUST, ("stop of the never started",), _ends("stop of the never started")),
    Rule("start", START, MUST, ("start",), _ends("start", "start anew")),
    Rule("monitor-at-once", START, MUST, ("monitor at once",), _ends("monitor at once", "monitor anew", codes=UP)),
    Rule("monitor-repeated", MONITOR, MUST, ("monitor 1",), _ends(*REPEATED, codes=UP)),
    Rule("start-again", TWICE, MUST, ("start again", "monitor 1"), _same("start again", *REPEATED)),
    Rule("notify", f"{OPTIONAL}: notify", SHOULD, ("notify",), _ends("notify")),
    Rule("reload-agent", f"{OPTIONAL}: reload-agent", MUST, ("reload-agent", AFTER[0]), _same("reload-agent", *AFTER)),
    Rule("promote", f"{OPTIONAL}: promote", MUST, ("promote",), _promotes),
    Rule(
        "promoted",
        "OCF 1.1 Exit Status Codes: 8",
        MUST,
        ("monitor promoted",),
        _ends("monitor promoted", codes=PROMOTED),
    ),
    Rule("promote-again", TWICE, MUST, ("promote again",), _ends("promote again")),
    Rule("demote", f"{OPTIONAL}: demote", MUST, ("demote",), _ends("demote")),
    Rule("demoted", f"{OPTIONAL}: demote", MUST, ("monitor demoted",), _ends("monitor demoted", codes=UP)),
    Rule("demote-again", TWICE, MUST, ("demote again",), _ends("demote again")),
    Rule("roles-unsupported", "OCF 1.1 Exit Status Codes: 3", MUST, ("promote unsupported",), _unsupported),
    Rule("stop", STOP, MUST, ("stop",), _ends("stop")),
    Rule(
        "monitor-stopped",
        "OCF 1.1 Exit Status Codes: 7",
        MUST,
        ("monitor stopped",),
        _ends("monitor stopped", codes=STOPPED),
    ),
    Rule("stop-again", STOP, MUST, ("stop again",), _ends("stop again")),
    Rule("leftover-processes", STOP, MUST, ("stop",), _remains("process", "stop", "stop again")),
    Rule("leftover-files", STOP, SHOULD, ("stop",), _files),
    Rule("leftover-ipc", STOP, SHOULD, ("stop",), _ipc),
    Rule("leftover-cgroups", STOP, SHOULD, ("stop",), _cgroups),
    Rule("kill-noticed", f"{MONITOR}; Exit Status Codes: 1, 7", MUST, ("monitor of the killed",), _dead),
    Rule("stop-of-killed", STOP, MUST, ("kill", "stop of the killed"), _ends("stop of the killed")),
    Rule(
        "start-cut-off",
        "Pacemaker: an action over its timeout is killed; OCF 1.1 Mandatory Actions: stop",
        MUST,
        CUT,
        _cut,
    ),
)
