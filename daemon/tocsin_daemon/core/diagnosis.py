"""
What `tocsin doctor` makes of what it has seen: each finding with its cure.

A PROBLEM keeps a failure from being noticed, told or recovered as it should; a NOTE is worth knowing. Here are the
findings of the cluster and of what it thinks of our resources; those of this machine are in `surroundings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from tocsin_daemon.core.answers import WELL
from tocsin_daemon.core.guard import instances_of
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.on_fail import each_warning
from tocsin_daemon.core.record import PROMOTED, Record
from tocsin_ocf.pacemaker import Cluster, Instance, Role, Version, base_id
from tocsin_ocf.pacemaker.configured import TRUE, Configured


class Grade(Enum):
    """How bad a finding is."""

    WELL = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What was found, of which subject, and what to do about it."""

    grade: Grade
    subject: str
    text: str
    cure: str = ""


def well(subject: str, text: str) -> Finding:
    """Find that all is as it should be."""
    return Finding(Grade.WELL, subject, text)


def note(subject: str, text: str, cure: str = "") -> Finding:
    """Find what is worth knowing."""
    return Finding(Grade.NOTE, subject, text, cure)


def problem(subject: str, text: str, cure: str) -> Finding:
    """Find what has to be mended."""
    return Finding(Grade.PROBLEM, subject, text, cure)


COUNTS_ONCE = Version(2, 1, 6)
"""The first Pacemaker that counts one `crm_resource --fail` once (T602); those before count it once or twice."""


def version(found: Version | None, primitives: Iterable[Configured]) -> list[Finding]:
    """Find what is known of the version of Pacemaker that is installed."""
    if found is None:
        return [problem("pacemaker", "crm_node --version has no answer", "install Pacemaker's command line tools")]
    name = f"version {found}"
    if found >= COUNTS_ONCE:
        return [well("pacemaker", name)]
    at_two = [one.id for one in primitives if one.meta.get("migration-threshold") == "2"]
    text = f"{name} may count one report twice in the fail-count"
    cure = "choose migration-threshold with that in mind, or upgrade to 2.1.6 or later"
    moved = [problem(one, "migration-threshold=2 may be reached by one failure", "give 3 or more") for one in at_two]
    return [note("pacemaker", text, cure), *moved]


def configured(primitive: Configured, promotable: bool, remote: str) -> list[Finding]:  # noqa: FBT001
    """Find what in the configuration of a resource keeps its failures from being told as they should."""
    deaf = bool(primitive.parameters.get("notify_command")) and primitive.meta.get("notify", "").lower() not in TRUE
    found = each_warning(primitive.operations, promotable=promotable, remote=remote, deaf=deaf)
    cures = {
        "on-fail": f"pcs resource update {primitive.id} op asyncmon interval=0 on-fail=..., as of its monitor",
        "notify_command": "pcs resource meta CLONE notify=true",
        "no monitor": f"pcs resource op add {primitive.id} monitor interval=59s role=Promoted",
        "": f"pcs resource update {primitive.id} monitor_hold=45 op monitor interval=1s timeout=60s",
    }
    cured = [(text, next(cure for key, cure in cures.items() if text.startswith(key))) for text in found]
    held = bool(primitive.parameters.get("monitor_hold"))
    return [problem(primitive.id, text, cure) for text, cure in cured if not (held and "monitor_hold" in text)]


def thought(record: Record, cluster: Cluster, node: str, now: float) -> list[Finding]:
    """Find where Pacemaker thinks otherwise of a resource than we do, and what keeps its reports back."""
    name = record.resource
    instances = instances_of(cluster, name, node)
    if not instances:
        return _unconfigured(record)
    here = [instance for instance in instances if node in instance.nodes]
    differs = _elsewhere(record, instances) if not here else _here(record, here[0])
    found = differs + _kept_back(record, instances, now) + _remembered(record, cluster, node)
    return found or [well(name, f"{record.phase.value}; Pacemaker agrees")]


def _unconfigured(record: Record) -> list[Finding]:
    if record.phase is Phase.STOPPED:
        return []
    name, phase = record.resource, record.phase.value
    stop = f"OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE={name} /usr/lib/ocf/resource.d/tocsin/service stop"
    return [problem(name, f"is {phase} here, but not in the cluster's configuration", f"if nobody wants it: {stop}")]


def _elsewhere(record: Record, instances: Sequence[Instance]) -> list[Finding]:
    """Find that what is up here is not here for Pacemaker."""
    if record.phase not in WELL:
        return []
    nodes = sorted({node for instance in instances for node in instance.nodes})
    where = f"on {', '.join(nodes)}" if nodes else "nowhere"
    cure = f"have Pacemaker look: pcs resource refresh {base_id(record.resource)}"
    return [problem(record.resource, f"runs here, but for Pacemaker {where}: no failure of it is told", cure)]


def _here(record: Record, instance: Instance) -> list[Finding]:
    """Find what differs of a resource that is active here for Pacemaker."""
    name, phase = record.resource, record.phase
    refresh = f"have Pacemaker look: pcs resource refresh {base_id(name)}"
    if phase is Phase.STOPPED:
        return [problem(name, "is active here for Pacemaker, but is stopped", refresh)]
    if phase is Phase.FAILED:
        stage = f"; its report is {record.incident.stage.value}" if record.incident and record.incident.pending else ""
        return [problem(name, f"has failed{stage}", f"tocsin explain {name}")]
    if phase not in WELL:
        return [note(name, f"is {phase.value}; Pacemaker has it active here")]
    promoted = instance.role is Role.PROMOTED
    if promoted != (phase is Phase.PROMOTED) and instance.role is not Role.UNKNOWN:
        return [
            problem(name, f"is {'promoted' if record.role == PROMOTED else 'unpromoted'}, for Pacemaker not", refresh)
        ]
    return []


def _kept_back(record: Record, instances: Sequence[Instance], now: float) -> list[Finding]:
    name, found = record.resource, []
    if record.pause and record.pause.holds(now):
        found.append(note(name, str(record.pause), f"tocsin resume {name}"))
    if any(instance.maintenance for instance in instances):
        found.append(
            note(
                name, "is in maintenance mode: a failure is told when that ends", "pcs resource meta, node or property"
            )
        )
    elif not all(instance.managed for instance in instances):
        found.append(
            note(name, "is unmanaged: a failure is told when it is managed", f"pcs resource manage {base_id(name)}")
        )
    if record.degraded:
        found.append(note(name, f"is degraded: {record.degraded}", "tocsin status"))
    if record.refused:
        cure = f"tocsin check {record.config}" if record.config else "pcs resource config"
        found.append(problem(name, f"its changed definition is faulty: {record.refused}", cure))
    return found


def _remembered(record: Record, cluster: Cluster, node: str) -> list[Finding]:
    """Find that Pacemaker remembers failures of what runs."""
    names = (record.resource, base_id(record.resource))
    operations = {f.operation for f in cluster.failures if f.node == node and f.resource in names}
    if record.phase not in WELL or not operations:
        return []
    text = f"is well, but Pacemaker remembers a failure: {', '.join(sorted(operations))}"
    return [note(record.resource, text, f"pcs resource cleanup {base_id(record.resource)}")]


def unknown(primitives: Iterable[Configured], known: set[str], cluster: Cluster, node: str) -> list[Finding]:
    """Find what is active here for Pacemaker, and of which we know nothing."""
    here = {base_id(instance.id) for instance in cluster.instances if node in instance.nodes}
    lost = [primitive.id for primitive in primitives if primitive.id in here - known]
    cure = "have Pacemaker look: pcs resource refresh {}"
    return [problem(name, "is active here for Pacemaker, but no tocsind knows it", cure.format(name)) for name in lost]
