"""
The actions that the agent advertises, with the times that pcs and crmsh take where an operation names none.

Pacemaker monitors a promoted instance by an operation for that role alone, and tells operations of one name apart by
their interval; for what is no clone that one is never scheduled.
"""

from tocsin_ocf.declared import Action

ACTIONS = (
    Action("start", "30s"),
    Action("stop", "30s"),
    Action("monitor", "20s", interval="60s", depth="0"),
    Action("monitor", "20s", interval="59s", depth="0", role="Promoted"),
    Action("promote", "30s"),
    Action("demote", "30s"),
    Action("notify", "20s"),
    Action("asyncmon", "20s", interval="0s"),
    Action("reload-agent", "20s"),
    Action("validate-all", "20s"),
    Action("meta-data", "5s"),
)
