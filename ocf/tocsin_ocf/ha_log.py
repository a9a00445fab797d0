"""
The log of an agent, where Pacemaker's tools and the shell library of resource-agents put theirs.

By the variables that Pacemaker passes on: the log daemon (HA_logd), syslog (HA_LOGFACILITY), files (HA_LOGFILE,
HA_DEBUGLOG); none of them: stderr, which Pacemaker copies into its own log. On a terminal only there. Debug lines only
with HA_debug. A log that cannot be written fails no action. Source: ocf-shellfuncs of resource-agents, ha_log.
"""

import sys
import syslog
from posix import getpid, isatty
from time import strftime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.call import Call

HA_LOGGER = "/usr/sbin/ha_logger"
HA_LOGGER_SECONDS = 5
DATE = "%b %d %T "
STDIN = 0
DEBUG, INFO, WARNING, ERROR = syslog.LOG_DEBUG, syslog.LOG_INFO, syslog.LOG_WARNING, syslog.LOG_ERR
NAMES = {DEBUG: "DEBUG", INFO: "INFO", WARNING: "WARNING", ERROR: "ERROR"}
OFF = ("", "0", "no", "none", "false", "off")


class Log:
    """The log of one call; each line begins with its level and is made one line."""

    def __init__(self, call: "Call") -> None:
        """Open nothing yet."""
        self._call = call
        script = sys.argv[0].rpartition("/")[2] or "agent"
        instance = call.variable("OCF_RESOURCE_INSTANCE")
        self.tag = _encodable(f"{script}({instance})[{getpid()}]" if instance else f"{script}[{getpid()}]")

    def debug(self, text: str) -> None:
        """Log what helps to find a fault; only with HA_debug."""
        if self._on("HA_debug"):
            self._write(DEBUG, text)

    def info(self, text: str) -> None:
        """Log what happens."""
        self._write(INFO, text)

    def warning(self, text: str) -> None:
        """Log what an administrator should look at some day."""
        self._write(WARNING, text)

    def error(self, text: str) -> None:
        """Log why an action fails."""
        self._write(ERROR, text)

    def reason(self, text: str) -> None:
        """Log an exit reason: as an error, but not on stderr, where it stands already."""
        self._write(ERROR, text, aloud=False)

    def _write(self, level: int, text: str, *, aloud: bool = True) -> None:
        line = _encodable(f"{NAMES[level]}: {' '.join(text.split())}".replace("\0", "?"))
        if isatty(STDIN):
            self._say(f"{self.tag}: {line}", aloud=aloud)
            return
        if (self._on("HA_logd") or self._on("HA_use_logd") or self._on("HA_LOGD")) and self._to_daemon(level, line):
            return
        facility = self._call.variable("HA_LOGFACILITY")
        names = ("HA_DEBUGLOG",) if level == DEBUG else ("HA_DEBUGLOG", "HA_LOGFILE")
        files = {self._call.variable(name) for name in names} - {""}
        if facility not in OFF:
            syslog.openlog(self.tag, 0, getattr(syslog, f"LOG_{facility.upper()}", syslog.LOG_DAEMON))
            syslog.syslog(level, line)
        dated = strftime(self._call.variable("HA_DATEFMT") or DATE)
        for file in sorted(files):
            self._append(file, f"{dated}{self.tag}:    {line}\n")
        if facility in OFF and not files:
            self._say(f"{dated}{line}", aloud=aloud)

    def _on(self, name: str) -> bool:
        return self._call.variable(name).lower() not in OFF

    def _say(self, line: str, *, aloud: bool) -> None:
        if aloud:
            sys.stderr.write(f"{line}\n")

    def _append(self, file: str, line: str) -> None:
        try:
            with open(file, "a", encoding="utf-8", errors="replace") as log:
                log.write(line)
        except OSError:
            return  # a full disk is no failure of the service

    def _to_daemon(self, level: int, line: str) -> bool:
        import subprocess

        kind = ["-D", "ha-debug"] if level == DEBUG else []
        command = [HA_LOGGER, "-t", self.tag, *kind, line]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=HA_LOGGER_SECONDS, check=False)
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def _encodable(text: str) -> str:
    """Return a text with a question mark for each byte of the environment, or of a file name, that is no UTF-8."""
    return text.encode("utf-8", "replace").decode()
