"""Render the manual page tocsin.yaml(5) from the schema of service definitions."""

import sys

from definition_keys import Key, common, kinds, top
from man import DATE
from roff import code, fill, item, paragraphs, section, subsection
from tocsin_ocf import __version__

DESCRIPTION = """\
A file in YAML that says what a service is: what to run and how, how to stop it, and how to judge whether it is well. It
has to be the same on each node, in UTF-8, and at most 64 KiB long. The resource names it with the parameter config,
which stands alone: the file says everything.

Its form is a JSON Schema, by which editors complete and check, and by which the agent and the daemon judge it. Of YAML
it uses mappings, lists and scalars; aliases and tags are refused. A scalar is taken as it stands, so umask: 027 and
user: 0123 need no quotes, and a key on is just that.

When the file changes, the daemon reads it again within seconds. Checks, restart_attempts, restart_window, stop_signal,
stop_timeout, and what is said of roles (promote_*, demote_*, notify_command, promotion_score) are applied to the
service that runs. So are limits and cgroup, unless one of their entries is taken
away; where systemd runs and cgroup is given, both wait. What waits needs "pcs resource restart"; the log and "tocsin
status" name it. A faulty file changes nothing: the service goes on by the old one, and both name the first
fault; "tocsin check" finds all.

Simple cases need no file: the agent's parameters command, user, check and so on mean the same as these keys."""

CHECKING = """\
"tocsin check FILE..." prints every fault, one a line, as FILE:LINE: key: what is wrong; what would be right. It needs
no daemon and no cluster, and ends with 78 where there are faults. What only this machine lacks (programs, accounts,
files) is one too, unless --anywhere is given. The agent's validate-all and a start find the same faults."""

EDITORS = """\
An editor with a YAML language server (such as VS Code with the YAML extension, Neovim, Emacs, Kate) completes keys,
shows what they mean, and marks faults while you type, when this is the first line:"""

HINT = "# yaml-language-server: $schema=/usr/share/tocsin/definition.schema.json"

VALUES = (
    ("time", "Seconds, or a number with ms, s, m (min) or h, such as 500ms, 30s, 1.5m."),
    ("size", "Bytes, or a number with K, M, G or T, such as 512M; 1K is 1024 bytes."),
    ("path", "An absolute path."),
    ("pattern", "A regular expression of Python's, found anywhere in the text; ^ and $ tie it to its ends."),
    (
        "limit of a process",
        "A value, above which the service has failed; or {soft: 1G, hard: 2G}, degraded from soft on.",
    ),
)

EXAMPLES = (
    (
        "A web server, judged by its own page and by who owns its port:",
        """\
command: /usr/sbin/nginx -g 'daemon off;'
stop_signal: QUIT
limits:
  nofile: 65536
checks:
  - http: http://127.0.0.1/health
    interval: 1s
    window: 3 of 5
  - listen: 80
    on: degrade""",
    ),
    (
        "A unit of systemd, with a limit on its memory that warns first:",
        """\
unit: postgresql@15-main.service
checks:
  - exec: [/usr/bin/pg_isready, -q]
    user: postgres
  - process:
      rss: {soft: 6G, hard: 8G}""",
    ),
    (
        "A database with one primary, which is promoted where app-score finds its data newest:",
        """\
command: /usr/bin/app-db --data /var/lib/app
user: app
promote_command: /usr/bin/app-ctl promote
demote_command: /usr/bin/app-ctl follow
promotion_score:
  command: /usr/local/sbin/app-score
checks:
  - tcp: 127.0.0.1:5000
  - exec: /usr/bin/app-ctl is-primary
    role: promoted""",
    ),
)


def render() -> str:
    """Return the page."""
    parts = (
        f'.TH TOCSIN.YAML 5 {DATE} "tocsin {__version__}" "File formats"',
        section("NAME", "tocsin.yaml \\- definition of a service for Pacemaker"),
        section("SYNOPSIS", ".I /etc/tocsin/NAME.yaml"),
        section("DESCRIPTION", paragraphs(DESCRIPTION)),
        section("KEYS", *map(_item, top())),
        section("CHECKS", "Options of every check:", *map(_item, common()), *map(_kind, kinds())),
        section("VALUES", *(item(term, text) for term, text in VALUES)),
        section("FAULTS", paragraphs(CHECKING)),
        section("EDITORS", f"{fill(EDITORS)}\n{code(HINT)}"),
        section("EXAMPLES", *(f"{fill(text)}\n{code(lines)}" for text, lines in EXAMPLES)),
        section("FILES", *(item(path, text) for path, text in FILES)),
        section("SEE ALSO", ".BR tocsin (1),\n.BR ocf_tocsin_service (7),\n.BR tocsind (8)"),
    )
    return "\n".join(parts) + "\n"


FILES = (
    ("/etc/tocsin/NAME.yaml", "Where definitions are by custom; any absolute path will do."),
    ("/usr/share/tocsin/definition.schema.json", "The JSON Schema (draft 2020-12)."),
    ("/usr/share/doc/tocsin/tocsin.yaml", "An example with every key."),
)


def _item(each: Key) -> str:
    """Return a key, with an example where that says more than the default."""
    shown = f"\n\nSuch as: {each.name}: {each.example}" if each.example and each.name != "checks" else ""
    inner = "".join(f"\n\n{one.name}: {one.title}. {one.text}".rstrip() for one in each.inner)
    return item(each.name, f"{each.meaning}{inner}{'' if each.default else shown}")


def _kind(kind: "tuple[str, str, Key, list[Key]]") -> str:
    title, text, target, options = kind
    return subsection(f"{target.name}: {title}", fill(text), *map(_item, [target, *options]))


if __name__ == "__main__":
    sys.stdout.write(render())
