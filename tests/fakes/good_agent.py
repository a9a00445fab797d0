"""A resource agent in shell that keeps every rule."""

from __future__ import annotations

GOOD = r"""#!/bin/sh
state=/run/good-$OCF_RESOURCE_INSTANCE
port=${OCF_RESKEY_port:-80}
usage="usage: good start|stop|monitor|promote|demote|notify|reload-agent|validate-all|meta-data|usage"
service="sleep 98765"

reason() {
  echo "ocf-exit-reason:$1" >&2
}

metadata() {
  cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="good" version="2.0">
<version>1.1</version>
<longdesc lang="en">Sleeps well.</longdesc>
<shortdesc lang="en">Sleeper</shortdesc>
<parameters>
<parameter name="port" unique-group="port" reloadable="1">
<longdesc lang="en">Where it would listen.</longdesc>
<shortdesc lang="en">port</shortdesc>
<content type="integer" default="80"/>
</parameter>
<parameter name="mode" required="0">
<deprecated><replaced-with name="port"/></deprecated>
<longdesc lang="en">How deep it sleeps.</longdesc>
<shortdesc lang="en">mode</shortdesc>
<content type="select" default="deep"><option value="deep"/><option value="light"/></content>
</parameter>
</parameters>
<actions>
<action name="start" timeout="20s"/>
<action name="stop" timeout="20s"/>
<action name="monitor" timeout="20s" interval="10s" depth="0"/>
<action name="monitor" timeout="20s" interval="9s" depth="0" role="Promoted"/>
<action name="promote" timeout="20s"/>
<action name="demote" timeout="20s"/>
<action name="notify" timeout="20s"/>
<action name="reload-agent" timeout="20s"/>
<action name="validate-all" timeout="20s"/>
<action name="meta-data" timeout="5s"/>
</actions>
</resource-agent>
XML
}

validate() {
  case $port in
    '' | *[!0-9]*)
      reason "parameter port: $port is no number"
      return 6
      ;;
  esac
}

alive() {
  pgrep -f "$service" >/dev/null
}

monitor() {
  if alive; then
    [ ! -e "$state.promoted" ] || return 8
    return 0
  fi
  [ -e "$state" ] || return 7
  reason "the sleeper has died"
  return 1
}

start() {
  if alive; then return 0; fi
  setsid $service </dev/null >/dev/null 2>&1 &
  echo $! >"$state"
  sleep 0.2 # until it sleeps
}

stop() {
  while pkill -9 -f "$service"; do sleep 0.02; done
  rm -f "$state" "$state.promoted"
}

promote() {
  touch "$state.promoted"
}

demote() {
  rm -f "$state.promoted"
}

notify() {
  return 0
}

reload_agent() {
  return 0
}

case $1 in
  meta-data) metadata ;;
  usage) echo "$usage" ;;
  validate-all) validate ;;
  monitor) monitor ;;
  start) validate && start ;;
  stop) stop ;;
  promote) promote ;;
  demote) demote ;;
  notify) notify ;;
  reload-agent) reload_agent ;;
  *)
    echo "$usage" >&2
    exit 3
    ;;
esac
"""
