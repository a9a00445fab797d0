"""The agent that keeps all rules, each time with one of them broken."""

from __future__ import annotations

KILL = "kill -9 $(cat /run/good-tocsin-test)"

Change = tuple[str, str]

META, PROBE = "  meta-data) metadata ;;", "  monitor) monitor ;;"
REFUSAL = '      reason "parameter port: $port is no number"\n'
NO_ROLES = tuple(
    (line, "")
    for line in (
        '<action name="monitor" timeout="20s" interval="9s" depth="0" role="Promoted"/>\n',
        '<action name="promote" timeout="20s"/>\n',
        '<action name="demote" timeout="20s"/>\n',
    )
)
SELECT = 'type="select" default="deep"><option value="deep"/><option value="light"/></content>'
OLD = (
    ("<version>1.1", "<version>1.0"),
    (' unique-group="port" reloadable="1"', ""),
    ('<deprecated><replaced-with name="port"/></deprecated>\n', ""),
    (SELECT, 'type="string"/>'),
    ('<action name="reload-agent" timeout="20s"/>\n', ""),
)
DOCTYPE = ('<?xml version="1.0"?>\n', '<?xml version="1.0"?>\n<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">\n')
START = '  setsid $service </dev/null >/dev/null 2>&1 &\n  echo $! >"$state"\n'

MUTANTS: dict[str, tuple[Change, ...]] = {
    "meta-data-name": (('name="good"', 'name="better"'),),
    "meta-data-version": (("<version>1.1", "<version>2.0"), *OLD[1:]),
    "meta-data-order": (
        ('<shortdesc lang="en">Sleeper</shortdesc>\n', ""),
        ("<version>1.1</version>\n", '<shortdesc lang="en">Sleeper</shortdesc>\n<version>1.1</version>\n'),
    ),
    "parameters-described": (('<shortdesc lang="en">port</shortdesc>\n', ""),),
    "parameters-typed": ((SELECT, 'type="percentage" default="5%"/>'),),
    "parameters-defaults": (('type="integer" default="80"', 'type="integer" default="http"'),),
    "parameters-names": (('name="mode"', 'name="sleep-mode"'),),
    "parameters-required": (('name="mode" required="0"', 'name="mode" required="1"'),),
    "parameters-unique": (('name="mode"', 'name="mode" unique="1"'),),
    "parameters-replaced": (('<replaced-with name="port"', '<replaced-with name="prot"'),),
    "actions-mandatory": (('<action name="meta-data" timeout="5s"/>\n', ""),),
    "actions-timeout": (('name="stop" timeout="20s"', 'name="stop"'),),
    "actions-times": (('name="stop" timeout="20s"', 'name="stop" timeout="a while"'),),
    "actions-pairs": (
        (
            '<action name="demote" timeout="20s"/>\n',
            '<action name="migrate_to" timeout="9s"/><action name="demote" timeout="9s"/>\n',
        ),
    ),
    "actions-reload": (('<action name="reload-agent" timeout="20s"/>\n', ""),),
    "monitor-intervals": (('interval="9s"', 'interval="10s"'),),
    "monitor-roles": (NO_ROLES[0],),
    "role-names": (('<action name="notify" timeout="20s"/>', '<action name="notify" timeout="20s" role="Slave"/>'),),
    "schema-ocf-1.0": (*OLD, ("Sleeps well.", "Sleeps <shortdesc>well</shortdesc>")),
    "schema-ocf-1.1": (('name="mode"', 'name="mode" colour="red"'),),
    "schema-ra-api-1.dtd": (DOCTYPE,),
    "schema-metadata.rng": (
        *OLD,
        ('<shortdesc lang="en">port', '<longdesc lang="de">Wo.</longdesc><shortdesc lang="en">port'),
    ),
    "meta-data": ((META, "  meta-data) metadata; exit 1 ;;"),),
    "meta-data-xml": (("</actions>\n", ""),),
    "meta-data-stderr": ((META, "  meta-data) metadata; echo done >&2 ;;"),),
    "meta-data-unprivileged": ((META, '  meta-data) [ "$(id -u)" = 0 ] || exit 4; metadata ;;'),),
    "meta-data-quick": ((META, "  meta-data) sleep 1.1; metadata ;;"),),
    "meta-data-leaves-nothing": ((META, "  meta-data) metadata; : >/tmp/seen-$$ ;;"),),
    "more-arguments": (("case $1 in", "[ $# -lt 2 ] || exit 2\ncase $1 in"),),
    "unknown-action": (
        ('  *)\n    echo "$usage" >&2\n    exit 3', "  '') exit 3 ;;\n  *)\n    echo \"$usage\" >&2\n    exit 1"),
    ),
    "no-action": (("case $1 in\n  meta", "case $1 in\n  '') exit 0 ;;\n  meta"),),
    "usage": (('  usage) echo "$usage" ;;', "  usage) ;;"),),
    "validate-offered": (('<action name="validate-all" timeout="20s"/>\n', ""),),
    "validate-accepts": (("validate() {\n", 'validate() {\n  [ "$OCF_RESKEY_port" ] || { reason none; return 4; }\n'),),
    "validate-unprivileged": (
        ("validate() {\n", 'validate() {\n  [ "$(id -u)" = 0 ] || { reason "not root"; return 4; }\n'),
    ),
    "validate-silent": (("  validate-all) validate ;;", "  validate-all) validate && echo fine ;;"),),
    "validate-refuses": (("      return 6\n", "      return 1\n"),),
    "probe": (
        (PROBE, '  monitor) [ "$OCF_TESTER_FAIL_HAVE_BINARY" ] || { reason "cannot tell"; exit 1; }; monitor ;;'),
    ),
    "probe-without-programs": (
        (PROBE, '  monitor) [ ! "$OCF_TESTER_FAIL_HAVE_BINARY" ] || { reason "gone"; exit 4; }; monitor ;;'),
    ),
    "probe-silent": ((PROBE, "  monitor) echo looking >&2; monitor ;;"),),
    "probe-quick": ((PROBE, "  monitor) sleep 1.1; monitor ;;"),),
    "probe-leaves-nothing": ((PROBE, "  monitor) : >/run/probed-$$; monitor ;;"),),
    "stdout": ((PROBE, "  monitor) echo looking; monitor ;;"),),
    "output-released": (("  validate-all) validate ;;", "  validate-all) sleep 2 & validate ;;"),),
    "exit-reason": ((REFUSAL, ""),),
    "exit-reason-ascii": (("is no number", "n\\303\\274mmer? \303\274"),),
    "exit-reason-length": (("is no number", f"is no number{' at all' * 20}"),),
    "exit-reason-last": ((REFUSAL, f"{REFUSAL}      echo sorry >&2\n"),),
}
"""Of the rules that need nothing to be started."""

RUN_MUTANTS: dict[str, tuple[Change, ...]] = {
    "stop-never-started": (
        (
            '  rm -f "$state" ',
            '  [ -e "$state" ] || [ -e /run/was ] || { : >/run/was; reason never; return 1; }\n  rm -f "$state" ',
        ),
    ),
    "start": (
        (START, f"{START}  [ ! -e /run/gone ] || {{ reason once; : >/run/gone; return 1; }}\n"),
        ("stop() {\n", "stop() {\n  : >/run/gone\n"),
    ),
    "monitor-at-once": (
        (START, f'{START}  : >"$state.new"\n'),
        (
            "  if alive; then\n",
            '  if [ -e "$state.new" ]; then\n    rm "$state.new"\n    reason early\n    return 1\n  fi\n'
            "  if alive; then\n",
        ),
        ('"$state" "$state.promoted"', '"$state" "$state.promoted" "$state.new"'),
    ),
    "exit-status": (('died"\n  return 1', 'died"\n  return 42'),),
    "in-time": (('  reason "the sleeper has died"\n', "  sleep 60\n"),),
    "monitor-repeated": (
        (PROBE, '  monitor) [ "$OCF_RESKEY_CRM_meta_interval" ] || ! alive || { reason shy; exit 1; }; monitor ;;'),
    ),
    "start-again": (("  if alive; then return 0; fi\n", "  ! alive || stop\n"),),
    "notify": (("notify() {\n  return 0", "notify() {\n  reason deaf\n  return 1"),),
    "reload-agent": (("reload_agent() {\n  return 0", "reload_agent() {\n  stop\n  start"),),
    "promote": (("promote() {\n", "promote() {\n  reason shy\n  return 1\n"),),
    "promoted": (("return 8", "return 0"),),
    "promote-again": (("promote() {\n", 'promote() {\n  [ ! -e "$state.promoted" ] || { reason twice; return 1; }\n'),),
    "demote": (("demote() {\n", "demote() {\n  reason proud\n  return 1\n"),),
    "demoted": (('  rm -f "$state.promoted"\n', "  :\n"),),
    "demote-again": (("demote() {\n", 'demote() {\n  [ -e "$state.promoted" ] || { reason twice; return 1; }\n'),),
    "roles-unsupported": NO_ROLES,
    "stop": (
        ("stop() {\n", 'stop() {\n  [ ! -e "$state" ] || { forced; reason forced; return 1; }\n'),
        ("notify() {", 'forced() {\n  pkill -9 -f "$service"\n  rm -f "$state"\n}\n\nnotify() {'),
    ),
    "monitor-stopped": (
        (
            '  [ -e "$state" ] || return 7\n',
            '  [ -e "$state" ] || { [ -e /var/once ] && [ ! -e /var/told ]; } || return 7\n'
            '  : >/var/told\n  [ -e "$state" ] || return 0\n',
        ),
        ("start() {\n", "start() {\n  : >/var/once\n"),
    ),
    "stop-again": (
        ("stop() {\n", "stop() {\n  alive || [ ! -e /var/was ] || { rm /var/was; reason twice; return 1; }\n"),
        ("start() {\n", "start() {\n  : >/var/was\n"),
    ),
    "leftover-processes": (
        (START, f"{START}  [ -e /var/once ] || {{ : >/var/once; setsid sleep 5432 </dev/null >/dev/null 2>&1 & }}\n"),
    ),
    "leftover-files": (("start() {\n", "start() {\n  : >/run/good.lock\n"),),
    "leftover-ipc": (("start() {\n", "start() {\n  ipcmk -M 4096 >/dev/null\n"),),
    "leftover-cgroups": (
        (
            "start() {\n",
            "start() {\n  mkdir -p $(awk '/ - cgroup2 / { p = $5 } END { print p }' /proc/self/mountinfo)/good\n",
        ),
    ),
    "kill-noticed": (("  if alive; then\n", '  if alive || [ -e "$state" ]; then\n'),),
    "stop-of-killed": (
        ("stop() {\n", 'stop() {\n  alive || [ ! -e "$state" ] || { rm "$state"; reason dead; return 1; }\n'),
    ),
    "start-cut-off": (
        (START, '  setsid $service </dev/null >/dev/null 2>&1 &\n  sleep 0.4\n  echo $! >"$state"\n'),
        ("stop() {\n", 'stop() {\n  [ -e "$state" ] || return 0\n'),
    ),
}
"""Of those that need --run."""
