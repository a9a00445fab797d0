"""
Render the example service definition from the schema: every key, its default, and what follows from it.

Text is after "# "; a "#" without a space stands before a key that can be uncommented.
"""

import sys
import textwrap
from collections.abc import Iterator

from definition_keys import Key, common, kinds, top

WIDTH = 100
ACTIVE = "command"
"""The one key that stands there uncommented: with it the file is a definition."""
HEAD = """\
# yaml-language-server: $schema=/usr/share/tocsin/definition.schema.json
#
# A service definition of Tocsin. Every key stands here with its default, or an example where it has none. On each node,
# copy it to /etc/tocsin/NAME.yaml (make the directory), uncomment what you need, and run
#     tocsin check /etc/tocsin/NAME.yaml
# Then, once:
#     pcs resource create NAME ocf:tocsin:service config=/etc/tocsin/NAME.yaml op monitor interval=60s
# Checks and thresholds are applied when the file changes, without a restart of the service; the log and `tocsin status`
# name what needs one. Times are 500ms, 30s, 2m, 1h; a number alone is seconds.
# Manual: man 5 tocsin.yaml
"""


def render() -> str:
    """Return the file."""
    parts = (_checks(each) if each.name == "checks" else _key(each, "") for each in top())
    return "\n".join([HEAD, *("\n".join([*lines, ""]) for lines in parts)])


def _key(each: Key, indent: str) -> Iterator[str]:
    """Yield a key with its comment; a mapping with its keys below it."""
    yield from _comment(each.meaning, indent)
    off = "" if each.name == ACTIVE and not indent else "#"
    if not each.inner:
        yield f"{indent}{off}{each.name}: {each.value}"
        return
    yield f"{indent}{off}{each.name}:"
    for inner in each.inner:
        yield from _key(inner, f"{indent}  ")


def _checks(each: Key) -> Iterator[str]:
    """Yield the checks, one of each kind; the first has the options of all."""
    yield from _comment(each.meaning, "")
    yield "#checks:"
    for number, (title, text, target, options) in enumerate(kinds()):
        yield ""
        yield from _comment(f"{title}. {text}", "  ")
        yield from _target(target)
        for option in options:
            yield from _key(option, "    ")
        if number == 0:
            yield ""
            yield from _comment("The options from here on are those of every check.", "    ")
            for option in common():
                yield from _key(option, "    ")


def _target(target: Key) -> Iterator[str]:
    yield from _comment(target.meaning, "  ")
    yield f"  #- {target.name}:{'' if target.inner else f' {target.value}'}"
    for inner in target.inner:
        yield from _key(inner, "      ")


def _comment(text: str, indent: str) -> Iterator[str]:
    lines = textwrap.wrap(text, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
    yield from (f"{indent}# {line}" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(render())
