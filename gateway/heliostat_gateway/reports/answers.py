"""Anomalies and forecasts as JSON documents."""

from heliostat_core.money import micros_from_nanos
from heliostat_gateway.limits.restrictions import Restriction
from heliostat_gateway.reports.calendars import instant
from heliostat_gateway.reports.documents import Document
from heliostat_gateway.reports.findings import Finding
from heliostat_gateway.reports.forecasts import Forecast
from heliostat_gateway.reports.months import MonthForecast


class AnomalyRules(Document):
    """How the check is set, and how it is: `failures` since the start; none blocks a request."""

    action: str
    floor_nanos: int
    learned: bool  # what runs have cost was read from the ledger
    failures: int


class AnomalyDocument(Document):
    """A run as it stood when it was flagged. Times and score are basis points: 60000 is six."""

    execution: str
    agent: str
    time: str
    cost_nanos: int
    cost_micros: int
    median_nanos: int
    times_basis_points: int | None
    score_basis_points: int
    against: str
    known: int
    peers_median_nanos: int | None
    action: str

    @classmethod
    def of(cls, finding: Finding) -> "AnomalyDocument":
        """The document of a finding."""
        return cls(
            execution=finding.execution,
            agent=finding.agent,
            time=instant(finding.seen_ms).isoformat(),
            cost_nanos=finding.cost_nanos,
            cost_micros=micros_from_nanos(finding.cost_nanos),
            median_nanos=finding.median_nanos,
            times_basis_points=finding.times_basis_points,
            score_basis_points=finding.score_basis_points,
            against=finding.against.value,
            known=finding.known,
            peers_median_nanos=finding.peers_median_nanos,
            action=finding.action,
        )


class Held(Document):
    """An agent that is paused or slowed down."""

    agent: str
    kind: str
    reason: str
    execution: str
    since: str

    @classmethod
    def of(cls, restriction: Restriction) -> "Held":
        """The document of a restriction."""
        return cls(
            agent=restriction.agent,
            kind=restriction.kind.value,
            reason=restriction.reason,
            execution=restriction.execution,
            since=instant(restriction.since_ms).isoformat(),
        )


class Anomalies(Document):
    """What the check found, newest first, and what it did."""

    check: AnomalyRules
    anomalies: list[AnomalyDocument]
    held: list[Held]


class Resumed(Document):
    """`resumed` is false when the agent was not held."""

    agent: str
    resumed: bool


class Forgot(Document):
    """`rows` lost a user's name; `open` requests go on and will be booked with it: ask again."""

    rows: int
    open: int


class ForecastLine(Document):
    """Nano-dollars of the whole month; without history no figure, and `message` says so."""

    key: dict[str, str]
    method: str
    history_days: int
    spent_nanos: int
    expected_nanos: int | None
    low_nanos: int | None  # a tenth of the months drawn from the history cost less
    high_nanos: int | None  # a tenth of them cost more
    expected_micros: int | None
    message: str


class PriceChangeDocument(Document):
    """A model in use has other prices from this day on; the forecast knows it."""

    provider: str
    model: str
    day: str


class ForecastReport(Document):
    """The month that is going on, by agent or model, and in all."""

    month: str
    time_zone: str
    as_of: str
    by: str
    lines: list[ForecastLine]
    lines_left_out: int
    total: ForecastLine
    price_changes: list[PriceChangeDocument]


def forecast_report(found: MonthForecast, by: str) -> ForecastReport:
    """The document of a forecast."""
    month = found.month
    return ForecastReport(
        month=f"{month.first:%Y-%m}",
        time_zone=month.zone.key,
        as_of=instant(month.now_ms).isoformat(),
        by=by,
        lines=[_line({by: name}, each) for name, each in found.lines],
        lines_left_out=found.left_out,
        total=_line({}, found.total),
        price_changes=[
            PriceChangeDocument(provider=each.provider, model=each.model, day=each.day.isoformat())
            for each in found.changes
        ],
    )


def _line(key: dict[str, str], found: Forecast) -> ForecastLine:
    expected = found.expected
    return ForecastLine(
        key=key,
        method=found.method.value,
        history_days=found.history_days,
        spent_nanos=found.spent,
        expected_nanos=expected,
        low_nanos=found.low,
        high_nanos=found.high,
        expected_micros=None if expected is None else micros_from_nanos(expected),
        message=found.message,
    )
