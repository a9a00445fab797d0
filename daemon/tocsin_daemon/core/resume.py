"""What a daemon does with a resource that a former one left: a function of the record and of what still runs."""

from __future__ import annotations

from tocsin_daemon.core.life import Event, Phase

RESUME: dict[tuple[Phase, bool], tuple[Event, ...]] = {
    (Phase.STOPPED, False): (),
    (Phase.STARTING, True): (),  # until its checks have passed
    (Phase.STARTING, False): (Event.DIED,),
    (Phase.RUNNING, True): (),
    (Phase.RUNNING, False): (Event.DIED,),
    # A promote or demote that was under way is asked again by the agent; until then nobody knows which role it has.
    (Phase.PROMOTING, True): (),
    (Phase.PROMOTING, False): (Event.DIED,),
    (Phase.PROMOTED, True): (),
    (Phase.PROMOTED, False): (Event.DIED,),
    (Phase.DEMOTING, True): (),
    (Phase.DEMOTING, False): (Event.DIED,),
    (Phase.RESTARTING, True): (Event.CUT_SHORT,),
    (Phase.RESTARTING, False): (Event.CUT_SHORT,),
    (Phase.RETURNING, True): (),
    (Phase.RETURNING, False): (Event.DIED,),
    (Phase.FAILED, False): (),
    (Phase.FAILED, True): (),
    # The request that asked for it died with the former daemon; the agent repeats it. A `stop` that finds the
    # service ended is as good as one that ended it, and a `start` takes over.
    (Phase.CLEARING, False): (Event.STOP,),
    (Phase.CLEARING, True): (Event.STOP,),
    (Phase.STOPPING, False): (Event.STOP,),
    (Phase.STOPPING, True): (Event.STOP,),
}
"""(phase on disk, does its main process run) to the events to feed."""
