"""Rules of what is called without leave to start or stop anything: meta-data, usage, validate-all, a probe."""

from __future__ import annotations

from tocsin_ocf.testing.document import NotMetadata, parse
from tocsin_ocf.testing.observed import Call, Observations, Verdict, failed, judged, passed, skipped
from tocsin_ocf.testing.rule import DOCUMENT, MUST, SHOULD, Rule

META = "OCF 1.1 Mandatory Actions: meta-data"
CODES = "OCF 1.1 Exit Status Codes"
VALIDATE = "OCF 1.1 Optional Actions: validate-all"
PROBE = "OCF 1.1 Exit Status Codes: 7"
SEMANTICS = "OCF 1.1 Resource Agent Meta-Data, Semantics"
QUICK_CPU, QUICK_WALL = 1.0, 5.0
"""Seconds. Each start waits for meta-data, a new node for a probe of everything; the machine may be loaded."""
USERS = ("meta-data as hacluster", "meta-data as nobody")
PROBES = ("probe", "probe of interval 0")
UNIMPLEMENTED, NOT_INSTALLED, STOPPED = 3, 5, 7


def code_of(call: Call) -> str:
    """Return how a call ended, in words."""
    if call.killed:
        return f"killed after {call.seconds:.1f} s"
    return f"exit {call.code}" if call.code >= 0 else f"ended by signal {-call.code}"


def _said(call: Call) -> str:
    text = (call.err or call.out).strip()
    return f"{code_of(call)}: {text[-200:]}" if text else code_of(call)


def _succeeds(seen: Observations) -> Verdict:
    call = seen.calls["meta-data"]
    return judged([] if call.code == 0 else [_said(call)], "exit 0")


def _is_xml(seen: Observations) -> Verdict:
    try:
        parse(seen.calls["meta-data"].out)
    except NotMetadata as fault:
        return failed(str(fault))
    return passed(f"{len(seen.calls['meta-data'].out)} bytes of XML")


def _only_stdout(seen: Observations) -> Verdict:
    said = seen.calls["meta-data"].err.strip()
    return judged([f"on stderr: {said}"] if said else [], "nothing on stderr")


def _without_rights(seen: Observations) -> Verdict:
    calls = {label: seen.calls[label] for label in USERS if label in seen.calls}
    if not calls:
        return skipped(seen.skipped.get(USERS[1], "not called as another user"))
    expected = seen.calls["meta-data"]
    faults = [f"{label}: {_said(call)}" for label, call in calls.items() if call.code != expected.code]
    faults += [f"{label}: other text" for label, call in calls.items() if call.code == 0 and call.out != expected.out]
    return judged(faults, ", ".join(label.rpartition(" ")[2] for label in calls))


def _in_time(seen: Observations, labels: tuple[str, ...]) -> Verdict:
    calls = [seen.calls[label] for label in labels if label in seen.calls]
    cpu, wall = min(call.cpu for call in calls), min(call.seconds for call in calls)
    text = f"{cpu * 1000:.0f} ms of CPU, {wall * 1000:.0f} ms in all, the best of {len(calls)}"
    return failed(text) if cpu > QUICK_CPU or wall > QUICK_WALL else passed(text)


def _meta_quick(seen: Observations) -> Verdict:
    return _in_time(seen, ("meta-data", "meta-data and more", *USERS))


def _meta_leaves(seen: Observations) -> Verdict:
    return judged(list(seen.calls["meta-data"].made), "nothing")


def _ignores(seen: Observations) -> Verdict:
    call, plain = seen.calls["meta-data and more"], seen.calls["meta-data"]
    same = (call.code, call.out) == (plain.code, plain.out)
    return judged([] if same else [f"with a further argument: {_said(call)}"], "the same with a further argument")


def _unknown(seen: Observations) -> Verdict:
    call = seen.calls["unknown action"]
    return judged([] if call.code == UNIMPLEMENTED else [f"{code_of(call)}, not 3"], "exit 3")


def _no_action(seen: Observations) -> Verdict:
    call = seen.calls["no action"]
    well = call.code in (1, 2, UNIMPLEMENTED)
    return judged([] if well else [f"without an action: {code_of(call)}"], code_of(call))


def _usage(seen: Observations) -> Verdict:
    call = seen.calls["usage"]
    if call.code == UNIMPLEMENTED:
        return skipped("exit 3: there is none")
    return judged([] if call.code == 0 and (call.out + call.err).strip() else [_said(call)], "exit 0, and a text")


def _validates(seen: Observations) -> str:
    """Return why nothing follows from validate-all; "" where it was done."""
    call = seen.calls["validate-all"]
    if call.code == UNIMPLEMENTED:
        return "exit 3: there is no validate-all"
    return "exit 5: what it is for is not installed" if call.code == NOT_INSTALLED else ""


def _offered(seen: Observations) -> Verdict:
    code = seen.calls["validate-all"].code
    offered = seen.document is not None and seen.document.advertised("validate-all")
    if offered == (code != UNIMPLEMENTED):
        return passed("advertised" if offered else "exit 3, and not advertised")
    return failed("advertised, but exit 3" if offered else f"not advertised, but exit {code}")


def _validate_rights(seen: Observations) -> Verdict:
    why = _validates(seen)
    if why:
        return skipped(why)
    call, plain = seen.calls["validate-all as nobody"], seen.calls["validate-all"]
    return judged([] if call.code == plain.code else [f"root: {code_of(plain)}; nobody: {_said(call)}"], code_of(call))


def _excuse(seen: Observations, call: Call) -> str:
    """Return why an agent may refuse: it lacks what it requires, or, given nothing, one of several; "" if none."""
    if seen.lacking:
        return f"required and not given (-o): {', '.join(seen.lacking)}; {code_of(call)}"
    return f"says that it needs parameters (-o): {_said(call)}" if not seen.given and call.code in (2, 6) else ""


def _accepts(seen: Observations) -> Verdict:
    call = seen.calls["validate-all"]
    why = _validates(seen) or _excuse(seen, call)
    if why and call.code != 0:
        return skipped(why)
    return judged([] if call.code == 0 else [f"nothing required is missing, but {_said(call)}"], "exit 0")


def _silent(seen: Observations) -> Verdict:
    call = seen.calls["validate-all"]
    if call.code != 0:
        return skipped(_validates(seen) or f"{code_of(call)}; silence is asked of success")
    said = (call.out + call.err).strip()
    return judged([f"exit 0, but says {said}"] if said else [], "nothing is said")


def _refuses(seen: Observations) -> Verdict:
    call, why = seen.calls["validate-all of a wrong value"], _validates(seen)
    if why or call.code == NOT_INSTALLED:
        return skipped(why or "exit 5: what it is for is not installed")
    return judged(
        [] if call.code in (2, 6) else [f"{seen.wrong}: {code_of(call)}, not 2 or 6"], f"{seen.wrong}: refused"
    )


def _probe(seen: Observations) -> Verdict:
    return _probes(seen, *PROBES)


def _probe_bare(seen: Observations) -> Verdict:
    return _probes(seen, BARE)


def _probes(seen: Observations, *labels: str) -> Verdict:
    faults = [(label, seen.calls[label]) for label in labels]
    faults = [(label, call) for label, call in faults if call.code not in (STOPPED, NOT_INSTALLED)]
    excuse = _excuse(seen, faults[0][1]) if faults else ""
    if excuse:
        return skipped(excuse)
    return judged([f"{label}: {_said(call)}" for label, call in faults], code_of(seen.calls[labels[0]]))


def _probe_silent(seen: Observations) -> Verdict:
    calls = [seen.calls[label] for label in PROBES if seen.calls[label].code == STOPPED]
    if not calls:
        return skipped("no probe said 7")
    return judged([f"exit 7, but says {call.err.strip()}" for call in calls[:1] if call.err.strip()], "nothing is said")


def _probe_quick(seen: Observations) -> Verdict:
    return _in_time(seen, PROBES)


def _probe_leaves(seen: Observations) -> Verdict:
    return judged(sorted({one for label in PROBES for one in seen.calls[label].made}), "nothing")


WRONG = "validate-all of a wrong value"
BARE = "probe without programs"
PACEMAKER = "Pacemaker: the controller runs meta-data as hacluster"
GUIDE = "resource-agents: ra-dev-guide.asc"
CALL_RULES = (
    Rule("meta-data", META, MUST, ("meta-data",), _succeeds),
    Rule("meta-data-xml", META, MUST, ("meta-data",), _is_xml),
    Rule("meta-data-stderr", META, SHOULD, ("meta-data",), _only_stdout),
    Rule("meta-data-unprivileged", f"{PACEMAKER}; ocf-tester as nobody", MUST, ("meta-data",), _without_rights),
    Rule("meta-data-quick", f"{PACEMAKER} before each start", SHOULD, ("meta-data",), _meta_quick),
    Rule("meta-data-leaves-nothing", META, MUST, ("meta-data",), _meta_leaves),
    Rule("more-arguments", "OCF 1.1 Execution Syntax", MUST, ("meta-data and more",), _ignores),
    Rule("unknown-action", "OCF 1.1 Exit Status Codes: 3", MUST, ("unknown action",), _unknown),
    Rule("no-action", "OCF 1.1 Resource Agent Actions", MUST, ("no action",), _no_action),
    Rule("usage", GUIDE, SHOULD, ("usage",), _usage),
    Rule("validate-offered", SEMANTICS, SHOULD, ("validate-all", DOCUMENT), _offered),
    Rule("validate-accepts", VALIDATE, SHOULD, ("validate-all",), _accepts),
    Rule("validate-unprivileged", VALIDATE, SHOULD, ("validate-all as nobody",), _validate_rights),
    Rule("validate-silent", "pcs: what validate-all prints is shown", SHOULD, ("validate-all",), _silent),
    Rule("validate-refuses", "OCF 1.1 Exit Status Codes: 2, 6", SHOULD, (WRONG,), _refuses),
    Rule("probe", PROBE, MUST, PROBES, _probe),
    Rule("probe-without-programs", "ocf-tester: OCF_TESTER_FAIL_HAVE_BINARY", MUST, (BARE,), _probe_bare),
    Rule("probe-silent", PROBE, SHOULD, PROBES, _probe_silent),
    Rule("probe-quick", PROBE, SHOULD, PROBES, _probe_quick),
    Rule("probe-leaves-nothing", "OCF 1.1 Mandatory Actions: monitor", SHOULD, PROBES, _probe_leaves),
)
