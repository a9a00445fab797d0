"""`tocsin test-agent`: the conformance run, with the options of its own table."""

from __future__ import annotations

from typing import Any

import click

from tocsin_ocf.testing.options import OPTIONS, Option


def as_click(row: Option) -> click.Option:
    """Return an option of the conformance run as one of ours."""
    return click.Option(
        row.names, is_flag=not row.metavar, multiple=row.many, metavar=row.metavar or None, help=row.help
    )


def given_again(options: dict[str, Any]) -> list[str]:
    """Return what was given of the conformance run's options, as its own command line takes it."""
    words = []
    for row in OPTIONS:
        value = options[row.names[-1].strip("-").replace("-", "_")]
        if not row.metavar:
            words += [row.names[-1]] if value else []
        else:
            words += [f"{row.names[-1]}={one}" for one in (value if row.many else [value]) if one is not None]
    return words


@click.command("test-agent", params=[click.Argument(["agent"], type=click.Path()), *map(as_click, OPTIONS)])
def test_agent(agent: str, **options: Any) -> None:  # noqa: ANN401 they are the table's
    """
    Test the OCF resource agent AGENT, in any language, against the standard: one line per rule.

    Without --run only meta-data, usage, validate-all, an unknown action and probes are called, as root in namespaces
    of their own with a read-only system and empty /run, /tmp and /var. Nothing is started or stopped.

    Exit status: 0 every rule that applies is kept; 1 there are deviations; 2 usage, or nothing could be called.
    """
    from tocsin_ocf.testing.__main__ import main as test  # noqa: PLC0415 the rules are for this command alone

    raise SystemExit(test([*given_again(options), agent], "tocsin test-agent"))
