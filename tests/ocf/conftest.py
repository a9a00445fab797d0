"""How hypothesis runs here: nothing on a clock, for the machine may be busy; nothing left behind."""

from hypothesis import HealthCheck, settings

settings.register_profile("tocsin", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tocsin")
