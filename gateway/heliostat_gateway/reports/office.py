"""Sets up the desk: where reports read, who watches the cost of runs."""

from collections.abc import Callable
from datetime import datetime

from heliostat_core.money import NANOS_PER_MICRO
from heliostat_gateway.limits.restrictions import RestrictionPublisher, StoredRestrictions
from heliostat_gateway.money.prices import Rates
from heliostat_gateway.reports.desk import Desk
from heliostat_gateway.reports.findings import Findings
from heliostat_gateway.reports.forgetting import Forgetting
from heliostat_gateway.reports.reading import LedgerReader
from heliostat_gateway.reports.watches import Action, AnomalyWatch, WatchRules
from heliostat_gateway.routes.routing import Router
from heliostat_gateway.settings import Settings
from heliostat_gateway.storage import Storage


def open_desk(
    settings: Settings,
    storage: Storage,
    router: Router,
    failed: Callable[[], None],
    publisher: RestrictionPublisher | None = None,
) -> Desk:
    """Reports, and the check of what runs cost, over the rows of a storage.

    `failed` is told of each check that failed, `crier` of each change of what agents may do.
    """
    reader = LedgerReader(storage.path)
    agent_restrictions = StoredRestrictions(
        storage, settings.anomaly_slow_seconds, publisher=publisher
    )
    findings = Findings(storage)
    rules = WatchRules(
        action=Action(settings.anomaly_action),
        floor_nanos=settings.anomaly_floor_micros * NANOS_PER_MICRO,
        sweep_seconds=settings.anomaly_sweep_seconds,
    )

    def rates(provider: str, model: str, at: datetime) -> Rates | None:
        return router.rates(provider, model, at)

    watch = AnomalyWatch(reader, findings, agent_restrictions, rates, rules, failed)
    return Desk(reader, rates, agent_restrictions, findings, watch, rules, Forgetting(storage))
