"""
`validate-all`, and the same checks before a start: every fault at once, in words that say what would be right.

Without OCF_CHECK_LEVEL only what no node could accept; from 10 on also what this machine lacks. It works
without root and without a daemon that listens, and is silent when all is well: pcs prints whatever it says.
"""

from tocsin_ocf import definition as definitions
from tocsin_ocf.call import LOCAL_LEVEL
from tocsin_ocf.exit_codes import OCF_ERR_ARGS, OCF_ERR_CONFIGURED, OCF_ERR_GENERIC, ActionFailed, wrong
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.launch import daemon, daemon_args
from tocsin_ocf.local import file_fault, local_fault, program_fault
from tocsin_ocf.programs import PATH
from tocsin_ocf.validation import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

EX_CONFIG = 78
"""Exit status of `tocsind --check-config` for a faulty file (sysexits.h)."""
SERVICE_PARAMETERS = (
    *("command", "user", "group", "directory", "environment_file", "stop_signal", "stop_timeout"),
    *("restart_attempts", "restart_window", "check", "pidfile", "unit"),
    *("promote_command", "demote_command", "notify_command"),
)
"""The parameters that define a service; all else of a definition is for files."""
INSTEAD = "give the program to run, or unit, or with config a file that defines the service"


def validate_all(asked: Invocation) -> "tuple[int, str]":
    """Return 0 for parameters that can work; ActionFailed for others, after all faults were printed."""
    local = asked.check_level >= LOCAL_LEVEL
    check(asked, local=local)
    if asked.parameter("config"):
        _check_file(asked, asked.parameter("config"), local=local)
    return 0, ""


def check(asked: Invocation, *, local: bool) -> None:
    """Raise ActionFailed where the parameters are faulty, or (`local`) where this machine lacks what they name."""
    faults = parameter_faults(asked)
    if faults:
        refuse(OCF_ERR_CONFIGURED, faults)
    if local:
        config = asked.parameter("config")
        _demand(file_fault("config", config) if config else local_fault(service(asked)))


def parameter_faults(asked: Invocation) -> "list[str]":
    """Return everything that no node could accept."""
    faults = []
    readers = (
        lambda: asked.port,
        lambda: asked.hold,
        lambda: asked.state_dir,
        lambda: daemon(asked),
        lambda: daemon_args(asked),
    )
    for reader in readers:
        try:
            reader()
        except ActionFailed as failed:
            faults.append(failed.reason)
    return faults + (_config_faults(asked) if asked.parameter("config") else _service_faults(asked))


def _config_faults(asked: Invocation) -> "list[str]":
    """With `config` the file alone defines the service: what stands beside it would silently not count."""
    config = asked.parameter("config")
    beside = ", ".join(_given(asked))
    faults = [] if config[0] == "/" else [wrong("config", config, "use an absolute path").reason]
    return faults + ([f"parameter config: the file alone defines the service; remove {beside}"] if beside else [])


def _service_faults(asked: Invocation) -> "list[str]":
    try:
        faults = definitions.read(_by_key(asked))[1]
    except (ActionFailed, OSError) as failed:
        return [str(failed)]
    if asked.own is not None:
        return [f"definition: {fault!r}" for fault in faults]
    if _given(asked).keys() & {"command", "unit"}:
        return [f"parameter {_parameter_of(fault.key)}: {fault.message}" for fault in faults]
    others = [f"parameter {_parameter_of(fault.key)}: {fault.message}" for fault in faults if fault.key != "command"]
    return [f"parameter command: missing; {INSTEAD}", *others]


def _given(asked: Invocation) -> "dict[str, str]":
    """Return the parameters that define a service, as far as they are set."""
    return {name: asked.parameter(name) for name in SERVICE_PARAMETERS if asked.parameter(name)}


def _by_key(asked: Invocation) -> "Mapping[str, object]":
    """Return them by the keys that a file has; pcs users give one `check`, in which there may be several."""
    if asked.own is not None:
        return asked.own
    return {"checks" if name == "check" else name: value for name, value in _given(asked).items()}


def _parameter_of(key: str) -> str:
    """Return the parameter in which a key of the definition, such as checks[1].tcp, stands."""
    return "check" if key.startswith("checks") else key.partition(".")[0]


def service(asked: Invocation) -> definitions.Definition:
    """Return what the parameters define; they were checked."""
    found = definitions.read(_by_key(asked))[0]
    assert found is not None, "parameters are checked before they are used"  # noqa: S101
    return found


def _check_file(asked: Invocation, config: str, *, local: bool) -> None:
    """Have the daemon's own code read the file; the agent's Python may have no YAML."""
    import subprocess

    _demand(program_fault("daemon", daemon(asked)) or file_fault("config", config))
    command = [daemon(asked), "--check-config", config, *(["--here"] if local else [])]
    environment = {"PATH": PATH, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(  # noqa: PLW1510 the status is read below
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=asked.remaining(), env=environment
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ActionFailed(OCF_ERR_GENERIC, f"{config} was not checked: {error}") from None
    said = [line for line in (done.stdout + done.stderr).decode("utf-8", "replace").splitlines() if line.strip()]
    if done.returncode == EX_CONFIG and said:
        refuse(OCF_ERR_ARGS, said)
    if done.returncode:
        raise ActionFailed(OCF_ERR_GENERIC, f"{config} was not checked: {said[-1] if said else done.returncode}")


def _demand(fault: "tuple[int, str] | None") -> None:
    if fault:
        raise ActionFailed(*fault)
