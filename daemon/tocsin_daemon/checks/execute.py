"""
`exec` and `ocf`: a program looks at the service, and its exit status says what it found.

It has an environment of its own and nothing of the daemon's or Pacemaker's, and dies with its whole session when its
time is over. That it cannot be executed says nothing of the service.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from tocsin_daemon import environment
from tocsin_daemon.checks.outside import Ended, Outside
from tocsin_daemon.children import Program
from tocsin_daemon.core import cause
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_ocf import exit_codes, targets, values
from tocsin_ocf.programs import find_program

OCF_ROOT = "/usr/lib/ocf"
OCF_VERSION = {"OCF_RA_VERSION_MAJOR": "1", "OCF_RA_VERSION_MINOR": "1"}
"""As Pacemaker says it since 2.1.0."""

PLAIN = {0: Result.WELL, 126: Result.ERROR, 127: Result.ERROR}
"""The last two are a shell's: what it was to execute cannot be, or is not there. Everything else is bad."""
NAGIOS = {0: Result.WELL, 1: Result.SOFT, 2: Result.BAD, 3: Result.ERROR, 126: Result.ERROR, 127: Result.ERROR}
"""OK, WARNING, CRITICAL, UNKNOWN; what a plug-in may not return is bad."""
OCF = {
    **dict.fromkeys((exit_codes.OCF_SUCCESS, 8), Result.WELL),
    **dict.fromkeys((exit_codes.OCF_DEGRADED, 191), Result.SOFT),
    **dict.fromkeys((exit_codes.OCF_ERR_GENERIC, exit_codes.OCF_NOT_RUNNING, 9), Result.BAD),
    **dict.fromkeys(range(exit_codes.OCF_ERR_ARGS, exit_codes.OCF_ERR_CONFIGURED + 1), Result.ERROR),
    **dict.fromkeys((126, 127), Result.ERROR),
}
"""
8, 191 and 9 are running, degraded and failed as promoted. An agent that is given wrong parameters, has no rights or
lacks a program has not looked.
"""
REASON = b"ocf-exit-reason:"


class Exec:
    """A check by a command."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Read target and options."""
        self._run = outside.run
        self._own = {"TOCSIN_RESOURCE": outside.resource, "TOCSIN_CHECK": spec.name}
        self._command = values.command(spec.target)
        self._user = str(spec.options.get("user") or "")
        self._results = NAGIOS if spec.options.get("nagios") else PLAIN
        self._program: Program | None = None

    def run(self) -> Deferred[Outcome]:
        """Look once; who the user is, is asked once: a directory of users may be far away."""
        try:
            self._program = self._program or self._make_program()
        except KeyError as error:
            return succeed(Outcome(Result.ERROR, f"no such user: {error}"))
        return self._run(self._program).addCallbacks(self._ended, _not_run)

    def _make_program(self) -> Program:
        user, group, groups = environment.identity(self._user, "")
        path = find_program(self._command[0]) or self._command[0]
        variables = {**environment.base(self._user), **self._own}
        return Program((path, *self._command[1:]), variables, "/", user, group, groups)

    def _ended(self, ended: Ended) -> Outcome:
        return outcome(ended, self._results, first_line(ended.output) or first_line(ended.errors))


class Ocf:
    """A check by the monitor of an OCF agent, called as Pacemaker calls a recurring one."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Read target and options."""
        self._run = outside.run
        provider, name = targets.agent(spec.target)
        path = f"{OCF_ROOT}/resource.d/{provider}/{name}"
        parameters = dict(spec.options.get("parameters") or {})
        self._program = Program((path, "monitor"), ocf_environment(outside.resource, spec, provider, name, parameters))

    def run(self) -> Deferred[Outcome]:
        """Look once."""
        return self._run(self._program).addCallbacks(self._ended, _not_run)

    def _ended(self, ended: Ended) -> Outcome:
        return outcome(ended, OCF, exit_reason(ended.errors) or last_line(ended.errors))


def ocf_environment(
    resource: str, spec: Spec, provider: str, name: str, parameters: dict[str, object]
) -> dict[str, str]:
    """Return what Pacemaker's executor sets for a recurring monitor, and a login's variables."""
    meta = {"name": "monitor", "interval": _ms(spec.interval), "timeout": _ms(spec.timeout)}
    return {
        **environment.base(""),
        **OCF_VERSION,
        "OCF_ROOT": OCF_ROOT,
        "OCF_RESOURCE_INSTANCE": resource,
        "OCF_RESOURCE_TYPE": name,
        "OCF_RESOURCE_PROVIDER": provider,
        **{f"OCF_RESKEY_{key}": str(value) for key, value in parameters.items()},
        **{f"OCF_RESKEY_CRM_meta_{key}": value for key, value in meta.items()},
    }


def outcome(ended: Ended, results: dict[int, Result], said: str) -> Outcome:
    """
    Return what an ended command has found; what is not in `results` is bad.

    One that was killed (for want of memory, as a rule, or by a fault of its own) has found nothing.
    """
    if ended.flooded:
        return Outcome(Result.ERROR, "it writes without end")
    if ended.status is None:
        return Outcome(Result.ERROR, "its exit status is not known")
    if ended.status < 0:
        return Outcome(Result.ERROR, _with(cause.killed(-ended.status), said))
    result = results.get(ended.status, Result.BAD)
    return Outcome(result, said if result is Result.WELL else _with(f"exit status {ended.status}", said))


def _with(what: str, said: str) -> str:
    return f"{what}: {said}" if said else what


def _not_run(failure: Failure) -> Outcome:
    failure.trap(OSError)
    error = failure.value
    assert isinstance(error, OSError), "it was trapped"
    why = (error.strerror or str(error)).lower()
    return Outcome(Result.ERROR, f"cannot be executed: {why}: {error.filename or ''}".rstrip(": "))


def first_line(text: bytes) -> str:
    """Return the first line that says something, in printable words; a nagios plug-in's figures are left out."""
    lines = (line.strip() for line in text.decode(errors="replace").splitlines())
    line = next((line for line in lines if line), "").partition("|")[0].strip()
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def last_line(text: bytes) -> str:
    """Return the last line that says something."""
    lines = [line for line in text.splitlines() if line.strip()]
    return first_line(lines[-1]) if lines else ""


def exit_reason(errors: bytes) -> str:
    """Return the reason that an agent gave last, as Pacemaker would show it."""
    reasons = [line.partition(REASON)[2] for line in errors.splitlines() if line.startswith(REASON)]
    return first_line(reasons[-1]) if reasons else ""


def _ms(seconds: float) -> str:
    return str(round(seconds * 1000))


def came_to(ended: Ended) -> str:
    """Say how a command ended that was to end with 0."""
    what = "ended, nobody knows how" if ended.status is None else cause.came_to(ended.status)
    return _with(what, last_line(ended.errors) or last_line(ended.output))
