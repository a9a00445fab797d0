"""The results of ./dev bench as Markdown: the short table of the README, and docs/benchmarks.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
RESULTS = TOP / "docs/benchmarks.json"
PAGE = TOP / "docs/benchmarks.md"
FIGURE = TOP / "docs/benchmarks.svg"

BARE, OURS, ANYTHING = "bare python3 -IS", "ocf:tocsin:service monitor", "ocf:heartbeat:anything monitor"
INJECTION, HELD = "tocsin, injection", "tocsin, held monitor"
MONITOR_EVERY = 60
HOUR = 3600.0
Results = dict[str, Any]


def polled(interval: int) -> str:
    """Return the row of the classic agent with this interval in seconds."""
    return f"anything, monitor every {interval} s"


POLLED = {interval: polled(interval) for interval in (1, 10)}


def hours(results: Results) -> dict[str, float]:
    """Return CPU seconds per resource and hour: of the agent, and for ours of the daemon too."""
    actions, rows = results["actions"], [row for row in results["scale"] if row["check"] == "process only"]
    anything = actions[ANYTHING]["cpu_ms"] / 1000
    found = {}
    for row in (rows[-1], rows[0]):
        each = (actions[OURS]["cpu_ms"] + row["monitor_cpu_ms"]) / 1000 * HOUR / MONITOR_EVERY
        name = f"tocsin, monitor every {MONITOR_EVERY} s, {row['services']} on the daemon"
        found[name] = each + HOUR * row["cpu_percent"] / 100 / row["services"]
    found.update({name: anything * HOUR / interval for interval, name in POLLED.items()})
    mean = results["deaths"][INJECTION]["reported"]["p50"] / 1000
    found[f"anything, if it were to report as fast on average: every {2 * mean:.2g} s"] = anything * HOUR / (2 * mean)
    return found


def goals(results: Results) -> list[tuple[str, str, str, bool]]:
    """Return what was promised, what was wanted, what was measured, and whether that is enough."""
    actions, deaths, used = results["actions"], results["deaths"], list(hours(results).values())
    monitor = actions[OURS]["cpu_ms"] / actions[BARE]["cpu_ms"]
    faster = deaths[POLLED[10]]["recovered"]["p50"] / deaths[INJECTION]["recovered"]["p50"]
    less = used[2] / used[0]
    rows = {row["services"]: row for row in results["scale"] if row["check"] == "process only"}
    found = [
        ("CPU of a monitor beside bare Python", "<= 1.5", f"{monitor:.2f}", monitor <= 1.5),
        ("death to recovered, beside `anything` every 10 s", ">= 30 x faster", f"{faster:.0f} x", faster >= 30),
        (
            f"CPU, beside `anything` every 1 s, {max(rows)} services on the daemon",
            ">= 20 x less",
            f"{less:.0f} x",
            less >= 20,
        ),
    ]
    if 300 in rows:
        p99 = rows[300]["one"]["crm_resource"]["p99"]
        found.append(
            (
                "p99 death to `crm_resource` running, 300 services, `crm_mon` a script",
                "< 10 ms",
                f"{p99:.1f} ms",
                p99 < 10,
            )
        )
    if 1000 in rows:
        idle = rows[1000]["cpu_percent"]
        found.append(("1000 services, nothing happens", "< 1 % of a core", f"{idle:.2f} %", idle < 1))
    return found


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table, its first column left and the others right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def short(results: Results) -> str:
    """Return what the README shows."""
    promised = table(
        ["", "wanted", "measured"],
        [[what, wanted, got if kept else f"{got} (missed)"] for what, wanted, got, kept in goals(results)],
    )
    figure = "![Death to recovered, and growth](docs/benchmarks.svg)"
    more = "More, and how it was measured: [docs/benchmarks.md](docs/benchmarks.md)."
    return "\n\n".join((_where(results), promised, _deaths(results), _failover(results), figure, more))


def _where(results: Results) -> str:
    at = results["machine"]
    load = f"load {at['load_before']} before, {at['load_after']} after"
    return (
        f"`sudo ./dev bench` of {at['date']} on {at['cores']} cores ({load}), Pacemaker "
        f"{at['versions'].get('pacemaker', '?')}, everything in one run of {at['minutes']} minutes:"
    )


def _deaths(results: Results) -> str:
    rows, ours = [], results["deaths"][INJECTION]["recovered"]["p50"]
    for name, steps in results["deaths"].items():
        up, told = steps["recovered"], steps["reported"]
        cells = [f"{told['p50']:.0f} ms", f"{up['p50']:.0f} ms", f"{up['max']:.0f} ms"]
        rows.append([f"{name} ({up['n']} kills)", f"{up['p50'] / ours:.1f}", *cells])
    return table(["kill -9 of Redis", "ratio", "Pacemaker knows, p50", "it answers again, p50", "max"], rows)


def _failover(results: Results) -> str:
    found = results["failover"]
    ours = next(iter(found.values()))["p50"]
    rows = [
        [f"{name} ({one['kills']} kills)", f"{one['p50'] / ours:.1f}", f"{one['p50']:.0f} ms", f"{one['max']:.0f} ms"]
        for name, one in found.items()
    ]
    return table(["kill -9, migration-threshold=1", "ratio", "runs on another node, p50", "max"], rows)


def _actions(results: Results) -> str:
    floor = results["actions"][BARE]["cpu_ms"]
    rows = [
        [name, f"{one['cpu_ms'] / floor:.2f}", f"{one['cpu_ms']:.1f} ms", f"{one['wall_ms']:.1f} ms"]
        for name, one in results["actions"].items()
    ]
    return table(["one call", "CPU beside bare Python", "CPU", "wall clock"], rows)


def _hours(results: Results) -> str:
    used = hours(results)
    ours = next(iter(used.values()))
    rows = [[name, f"{seconds / ours:.1f}", f"{seconds:.2f} s"] for name, seconds in used.items()]
    return table(["", "ratio", "CPU per resource and hour"], rows)


def _scale(results: Results) -> str:
    rows = []
    for row in results["scale"]:
        one, every = row["one"], row.get("all")
        cells = [f"{row['cpu_percent']:.2f} %", f"{row['rss_mib']:.0f} MiB", f"{row['monitor_ms']:.2f} ms"]
        cells += [f"{one[what][p]:.1f}" for what in ("detected", "crm_resource") for p in ("p50", "p99")]
        cells += [f"{every['crm_resource'][p]:.0f}" if every else "" for p in ("p50", "max")]
        cells += [f"{every['cpu_ms_each']:.1f}" if every else "", f"{row['readopted_s']:.2f} s"]
        rows.append([f"{row['services']}, {row['check']}", *cells])
    one, every = "one dies, ms: ", "all die, ms: "
    return table(
        [
            *("services", "CPU", "RSS", "monitor", f"{one}detected p50", "p99", "crm_resource p50", "p99"),
            *(f"{every}crm_resource p50", "max", "CPU each", "taken over by a new daemon"),
        ],
        rows,
    )


def whole(results: Results) -> str:
    """Return docs/benchmarks.md."""
    at, cold = results["machine"], results["scale"][0]["cold_start_s"]
    versions = ", ".join(f"{name} {version}" for name, version in at["versions"].items())
    promised = [[what, wanted, got, "kept" if kept else "missed"] for what, wanted, got, kept in goals(results)]
    return f"""# Benchmarks

{_where(results)}
{at["cpu"]}, Linux {at["kernel"]}; {versions}. Ratios are what to quote: a machine's speed drifts, and other work on it
shows in everything.

{table(["promise", "wanted", "measured", ""], promised)}

![Death to recovered, and growth](benchmarks.svg)

## What a call costs

Median of {results["actions"][BARE]["runs"]} runs in turn, the process and its children without the daemon's part.
"A monitor that imports Twisted" has the shape of the classic sample agent.

{_actions(results)}

## From death to recovery

A real Pacemaker, a real Redis. Pacemaker knows when its log has the failed operation. Ours has a monitor every
{MONITOR_EVERY} s; kills of polled ones are spread evenly over the interval. Resources of class `systemd` are polled by
Pacemaker in the same way, so the interval decides for them as it does here; they are not measured, for the cluster's
nodes have no systemd.

{_deaths(results)}

{_failover(results)}

The agents' CPU time, of ours the daemon's too. What Pacemaker itself spends on each monitor comes on top.

{_hours(results)}

## How it grows

A daemon of its own for each row; checks once a second. `crm_mon` and `crm_resource` are scripts here, the latter
notes when it runs, its own start included; the real `crm_mon` is in the first table. Between a death and `crm_resource`
both are started, one after the other: that takes most of the time. "All die" is one kill after the other without a
pause. A new daemon answers its first request {cold:.2f} s after it was started.

{_scale(results)}
"""
