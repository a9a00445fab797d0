"""
What the agent tells Pacemaker, pcs, crmsh and the manual page about itself: its texts and its parameters.

Everything that is printed about them is rendered from this table, and from that of its actions, `advertised`. Plain
text in a table costs a call of the agent next to nothing, where code would: the controller asks for meta-data before
every start.
"""

from tocsin_ocf import __version__
from tocsin_ocf.advertised import ACTIONS
from tocsin_ocf.declared import Declaration, Integer, Text
from tocsin_ocf.rundir import DAEMON, PORT, STATE_DIR

SHORT = "Runs a service and reports its failure at once"
LONG = """\
Runs a program as a cluster resource and tells Pacemaker of its failure in milliseconds, instead of at the next
monitor. A daemon, tocsind, starts the program and watches it without pause; it reports a failure with
"crm_resource --fail", which crm_mon shows as "Simulated failure". The true cause is in "tocsin status" and in
"tocsin explain", as root on the node where it failed. The agent starts the daemon when it is needed. A daemon that
crashes or is upgraded never touches the service: the next one takes it up again.

The program has to stay in the foreground, or to write a pidfile. All its processes belong to the resource: stop
succeeds only when every one of them is gone. Instead of a program it runs a systemd unit, with the parameter unit.
With promote_command and demote_command, its clones can be promotable.

A monitor only asks the daemon, so an interval of a minute is enough. Set migration-threshold and failure-timeout,
or a service that fails right after every start is restarted for ever. A reported failure means a restart,
whatever the on-fail of monitor says, unless "op asyncmon interval=0 on-fail=..." says the same."""


PARAMETERS = (
    Text(
        "command",
        "Program to run, with its arguments",
        "The program, in the foreground, and its arguments. It is split into words as a shell splits them, with quotes "
        "and backslashes, but no shell runs: there are no variables, pipes or wildcards. A name without a slash is "
        "looked up in the usual directories. Give command, unit or config.\n\n"
        "Two resources may run the same command only if they differ in directory, environment_file or user.",
        group="service",
    ),
    Text(
        "user",
        "User to run as",
        "Name or number of the account that the program runs as, with that account's supplementary groups; root if "
        "not set. Set it for every program that does not give up its rights by itself.",
        group="service",
    ),
    Text(
        "group",
        "Group to run as",
        "Name or number of the group that the program runs as. Set it when that is not the primary group of user.",
    ),
    Text(
        "directory",
        "Working directory",
        "Absolute path of the directory that the program starts in. Set it when the program looks for files by "
        "relative paths, or leaves its core dumps where it was started.",
        default="/",
        group="service",
    ),
    Text(
        "environment_file",
        "File with environment variables",
        "Absolute path of a file with lines NAME=value that are added to the program's environment, which otherwise "
        "holds only the basics. The place for what must not stand in the cluster's configuration, such as passwords; "
        "it is read at each start, and has to be there on each node.",
        group="service",
    ),
    Text(
        "stop_signal",
        "Signal that asks the program to end",
        "Name or number of the signal that a stop begins with. Change it for programs that end cleanly at another one, "
        "such as QUIT for nginx (serves what it has begun) or INT for PostgreSQL (fast shutdown).",
        default="TERM",
        reloadable=True,
    ),
    Text(
        "stop_timeout",
        "Time before a stop kills",
        "How long the program has to end by itself before all its processes are killed, such as 30s or 2m. If not set, "
        "two thirds of the stop operation's timeout. When a program needs longer, raise that timeout rather than this: "
        "killing has to fit inside it, because a stop that times out fences the node.",
        reloadable=True,
    ),
    Integer(
        "restart_attempts",
        "Restarts here before a failure is reported",
        "How often within restart_window the daemon starts a service that died again by itself, without telling "
        "Pacemaker. 0 reports each failure, which is what a cluster wants as a rule: a restart that nobody counts can "
        'hide a broken node. The log and "tocsin explain" show each.',
        default="0",
        reloadable=True,
    ),
    Text(
        "restart_window",
        "Time in which restart_attempts count",
        "How long a restart by restart_attempts counts, such as 10min or 1h. Choose it longer than the service needs "
        "to fail again, or a service that fails every few minutes is restarted for ever.",
        default="1h",
        reloadable=True,
    ),
    Text(
        "check",
        "Health checks",
        "How the service is judged beside the death of its process: words with spaces between them, each one check of "
        "tcp:HOST:PORT, http://HOST/PATH, https://HOST/PATH, unix:/SOCKET, file:/PATH, listen:PORT, "
        "systemd:UNIT, ocf:PROVIDER:TYPE, exec:/PROGRAM or sd_notify:TIME. A start succeeds when each has been well "
        "once; the daemon then looks every 2s (exec and ocf: every 10s), and three bad looks in a row are a "
        "failure (of systemd and sd_notify: one). Such as: tcp:127.0.0.1:6379. Use config for other numbers, for "
        "patterns, limits, and what follows.",
        reloadable=True,
    ),
    Text(
        "pidfile",
        "File with the process id",
        "Absolute path of the file to which a command that forks and ends writes the process id of the daemon that "
        "it leaves, such as /run/named/named.pid. Set it only for programs that cannot stay in the foreground.",
        group="pidfile",
        unique=True,
    ),
    Text(
        "unit",
        "systemd unit to run",
        "Name of a systemd unit, such as nginx.service, that is run instead of command, and started, stopped and "
        "watched by D-Bus. User, directory, limits and how it is stopped stay in the unit. Disable it, or it starts at "
        "boot too.",
        group="unit",
        unique=True,
    ),
    Text(
        "promote_command",
        "Command that promotes",
        "For pcs resource promotable: the program, and its arguments, that makes an instance the promoted one. It is "
        "split as command, and runs as user with the service's environment and Pacemaker's variables. 0 is success; "
        "anything else fails the action, with the last output line as the reason. It may be called twice. Instead of "
        "commands a file (config) can name signals, and it can say which score a node has for being promoted.\n\n"
        "A promoted instance has a monitor of its own. Whoever gives op monitor gives two: op monitor interval=60s op "
        "monitor interval=59s role=Promoted.",
        reloadable=True,
    ),
    Text(
        "demote_command",
        "Command that demotes",
        "The way back from promote_command, and like it. Both or neither; a demotion that fails means a stop.",
        reloadable=True,
    ),
    Text(
        "notify_command",
        "Command that is told of the other instances",
        "Runs before and after an instance of the clone is started, stopped, promoted or demoted, when the clone has "
        "meta notify=true. OCF_RESKEY_CRM_meta_notify_type and its siblings say what happens to whom. When it fails, "
        "the log says so and nothing follows.",
        reloadable=True,
    ),
    Text(
        "config",
        "File that defines the service",
        "Absolute path of a YAML file, such as /etc/tocsin/NAME.yaml, that defines the service instead of all "
        "parameters above, and can say more: checks with patterns and thresholds, environment, limits. See "
        'tocsin.yaml(5); "tocsin check FILE" finds every fault. It has to be the same on each node. It is read at each '
        "start, and when it changes: checks and thresholds are then applied at once, and what needs a restart is said.",
        group="config",
        unique=True,
    ),
    Integer(
        "monitor_hold",
        "Time that a monitor waits at the daemon",
        "With a number of seconds a recurring monitor waits at the daemon until something happens, for so long at "
        "most, and returns a failure at once: with its true code and reason, counted once, and with the on-fail of "
        "monitor. Choose op monitor interval=1s timeout=60s with monitor_hold=45; one agent process then waits all the "
        "time. It is the way on Pacemaker Remote nodes, where crm_resource --fail does nothing. 0 reports by "
        "crm_resource.",
        default="0",
        reloadable=True,
    ),
    Integer(
        "port",
        "Local TCP port of the daemon",
        "Where tocsind listens, on 127.0.0.1 only. Resources with the same port share one daemon, which is the usual "
        "case. Change it when another program needs this port, or to give a resource a daemon of its own; then to the "
        "same on each node.",
        default=str(PORT),
        least=1,
        most=65535,
    ),
    Text(
        "daemon",
        "Program of the daemon",
        "Absolute path of tocsind. Change it when tocsind is installed elsewhere, as in a virtual environment.",
        default=DAEMON,
    ),
    Text(
        "daemon_args",
        "Further arguments of the daemon",
        "Appended to the daemon's command line when it is started, so they override what the agent passes. Resources "
        "that share a port should share them too: whichever starts first starts the daemon. Where systemd runs, a "
        "daemon with arguments of its own is started without its unit and watchdog; systemctl edit tocsind@.service is "
        "the better place.",
    ),
    Text(
        "state_dir",
        "Directory for run-time state",
        "Absolute path of the directory below which each daemon keeps what outlives it: secrets, and what it knows of "
        "each resource. It must be empty after a boot and open to root alone for writing. There is hardly a reason to "
        "change it, except for tests.",
        default=STATE_DIR,
    ),
)

SERVICE = Declaration("service", __version__, SHORT, LONG, PARAMETERS, ACTIONS, provider="tocsin")
"""What `agent/service` says of itself."""
