"""The figure of docs/benchmarks.md: outages as bars, and how cost and delay grow, both on logarithmic scales."""

from __future__ import annotations

from math import log10
from typing import Any

WIDTH, HEIGHT = 860, 300
STYLE = """
text { font: 12px sans-serif; fill: #333 } .title { font-weight: bold } .axis { stroke: #bbb; fill: none }
.a { stroke: #0a6ebd; fill: #0a6ebd } .b { stroke: #d9730d; fill: #d9730d } .c { stroke: #2e8540; fill: #2e8540 }
polyline { fill: none !important; stroke-width: 2 } text.a, text.b, text.c { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .axis { stroke: #666 } .a { stroke: #5ab0f0; fill: #5ab0f0 } .b { stroke: #f5a04c; fill: #f5a04c }
  .c { stroke: #6cc57f; fill: #6cc57f } }
"""


class Scale:
    """A logarithmic scale from values to pixels."""

    def __init__(self, low: float, high: float, begin: float, end: float) -> None:
        """Map `low` to `begin` and `high` to `end`."""
        self._low, self._begin = log10(low), begin
        self._each = (end - begin) / (log10(high) - log10(low))

    def __call__(self, value: float) -> float:
        """Return the pixel."""
        return round(self._begin + self._each * (log10(max(value, 1e-6)) - self._low), 1)


def draw(results: dict[str, Any]) -> str:
    """Return the SVG; it follows the reader's light or dark mode."""
    body = [*_bars(results["deaths"]), *_growth([row for row in results["scale"] if row["check"] == "process only"])]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    title = "<title>Death to recovered beside a polling agent; growth with the number of services</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *body, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{words}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="axis" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _bars(deaths: dict[str, Any]) -> list[str]:
    x = Scale(10, 20000, 20, 340)
    found = [_text(20, 20, "kill -9 until it answers again, p50 and max", "title")]
    for tick in (10, 100, 1000, 10000):
        found += [_line(x(tick), 34, x(tick), 262), _text(x(tick), 278, f"{tick} ms", anchor="middle")]
    for number, (name, steps) in enumerate(deaths.items()):
        y, up, kind = 44 + 54 * number, steps["recovered"], "a" if name.startswith("tocsin") else "b"
        found.append(_text(24, y + 10, f"{name}: {up['p50']:.0f} ms"))
        found.append(f'<rect class="{kind}" x="20" y="{y + 16}" width="{x(up["p50"]) - 20:.1f}" height="14"/>')
        found.append(f'<line class="{kind}" x1="{x(up["p50"])}" y1="{y + 23}" x2="{x(up["max"])}" y2="{y + 23}"/>')
    return found


def _growth(rows: list[dict[str, Any]]) -> list[str]:
    left, right, most = 450, 840, max(row["services"] for row in rows)
    x, y = Scale(1, max(most, 10), left, right - 130), Scale(0.01, 10000, 262, 34)
    found = [_text(left, 20, "services on one daemon: what grows", "title")]
    for tick in (0.01, 0.1, 1, 10, 100, 1000, 10000):
        found += [_line(left, y(tick), right - 130, y(tick)), _text(left - 6, y(tick) + 4, f"{tick:g}", anchor="end")]
    found += [_text(x(row["services"]), 278, str(row["services"]), anchor="middle") for row in rows]
    lines = {
        ("a", "one dies, p99 ms"): [(row["services"], row["one"]["crm_resource"]["p99"]) for row in rows],
        ("b", "all die, max ms"): [(r["services"], r["all"]["crm_resource"]["max"]) for r in rows if "all" in r],
        ("c", "idle, % of a core"): [(row["services"], row["cpu_percent"]) for row in rows],
    }
    for (kind, name), points in lines.items():
        spots = " ".join(f"{x(services)},{y(value)}" for services, value in points)
        found.append(f'<polyline class="{kind}" points="{spots}"/>')
        found += [f'<circle class="{kind}" cx="{x(n)}" cy="{y(value)}" r="3"/>' for n, value in points]
        if points:
            found.append(_text(right - 122, y(points[-1][1]) + 4, name, kind))
    return found
