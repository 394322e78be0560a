"""What a person's calls cost, by day, agent or model: the ledger's own sums.

Every call is booked on a person by the gateway: chat by the person key, runs by the owner that the
operator found, keys by whose they are. Nothing is added up from records of runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from heliostat_api.base.field_errors import FieldError
from heliostat_api.base.person import Person
from heliostat_api.base.texts import Text, bilingual, plain
from heliostat_api.base.views import View
from heliostat_api.gateway.client import Gateway, UsageQuestion, Users
from heliostat_api.gateway.documents import MonthLine, UsageLine
from heliostat_api.people.repository import PersonRepository
from heliostat_api.usage.labels import Labels, Named
from heliostat_api.web.problems import ProblemError
from heliostat_core.money import format_micros, micros_from_nanos

By = Literal["day", "agent", "model"]
_LONGEST_DAYS: Final = 400
_DAYS: Final = (date(2000, 1, 1), date(2999, 12, 31))
"""The first and the last that anybody asks about: at the ends of the calendar no day follows."""
_CACHE_WRITES: Final = ("cacheWrite5m", "cacheWrite1h")


class TokensView(View):
    """Tokens by kind."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int


class UsageRow(View):
    """Of one day, agent or model. An agent's `key` is its id; empty for chat and keys."""

    key: str
    label: str
    cost_micros: int
    requests: int
    usage: TokensView


class ForecastView(View):
    """What this month will have cost, and the range that four of five months fall into."""

    month_cost_micros: int
    low_micros: int
    high_micros: int
    text: str


class UsageReport(View):
    """Days are those of `timeZone`; `to` is included. No forecast without three days of history."""

    by: By
    time_zone: str
    since: Annotated[date, Field(alias="from")]
    until: Annotated[date, Field(alias="to")]
    rows: tuple[UsageRow, ...]
    total_cost_micros: int
    forecast: ForecastView | None


@dataclass(frozen=True)
class Period:
    """Whole days of a time zone; this month up to today where nothing is said."""

    first: date | None
    last: date | None
    time_zone: str


@dataclass(frozen=True)
class Usage:
    """`owner`: whose calls are that name nobody."""

    gateway: Gateway
    register: PersonRepository
    labels: Labels
    owner: str | None
    clock: Callable[[], datetime]

    async def report(self, person: Person, by: By, period: Period) -> UsageReport:
        """Only their own. Raises GatewayAwayError, a problem with status 422."""
        users = await self._users(person)
        asked = read_question(users, by, period, self.clock())
        lines, total = await self.gateway.usage(asked)
        named = await self._named(person, by, lines)
        month = await self.gateway.month(users, asked.time_zone)
        return UsageReport(
            by=by,
            time_zone=asked.time_zone,
            since=asked.first,
            until=asked.last,
            rows=view_rows(by, named),
            total_cost_micros=micros_from_nanos(total.cost_nanos),
            forecast=view_forecast(month.total),
        )

    async def _users(self, person: Person) -> Users:
        """Themselves, the guests that they were before, and nobody where that is theirs."""
        before = await self.register.guests_of(person.id)
        return Users(person.id, (*before, *([""] if person.id == self.owner else [])))

    async def _named(
        self, person: Person, by: By, lines: Iterable[UsageLine]
    ) -> list[tuple[Named, UsageLine]]:
        if by != "agent":
            return [(Named(each.key[by], each.key[by]), each) for each in lines]
        found = list(lines)
        names = await self.labels.of(person, [each.key["agent"] for each in found])
        return [(names[each.key["agent"]], each) for each in found]


def read_question(users: Users, by: By, period: Period, now: datetime) -> UsageQuestion:
    """Raises a problem with status 422 that names what is wrong."""
    try:
        zone = ZoneInfo(period.time_zone)
    except (OSError, ValueError, LookupError) as error:
        raise _refused("timeZone", plain("must be an IANA time zone such as Asia/Seoul")) from error
    last = period.last or now.astimezone(zone).date()
    first = period.first or last.replace(day=1)
    for name, day in (("from", first), ("to", last)):
        if not _DAYS[0] <= day <= _DAYS[1]:
            message = bilingual(
                en=f"must be between {_DAYS[0]} and {_DAYS[1]}",
                ko=f"{_DAYS[0]}부터 {_DAYS[1]}까지여야 합니다",
            )
            raise _refused(name, message)
    if first > last:
        raise _refused(
            "to", bilingual(en="must not be before from", ko="시작일보다 빠를 수 없습니다")
        )
    if last - first >= timedelta(days=_LONGEST_DAYS):
        message = bilingual(
            en=f"must be within {_LONGEST_DAYS} days of to; ask in parts",
            ko=f"{_LONGEST_DAYS}일 이내여야 합니다. 나누어 조회하세요",
        )
        raise _refused("from", message)
    return UsageQuestion(users, by, first, last, period.time_zone)


def view_rows(by: By, named: Iterable[tuple[Named, UsageLine]]) -> tuple[UsageRow, ...]:
    """Days in their order, all else by cost; lines of one name are one row, added up exactly."""
    groups: dict[Named, list[UsageLine]] = {}
    for name, line in named:
        groups.setdefault(name, []).append(line)
    summed = [(sum(each.cost_nanos for each in lines), name) for name, lines in groups.items()]
    ordered = sorted(summed, key=lambda each: each[1].key if by == "day" else (-each[0], each[1]))
    return tuple(_row(name, cost, groups[name]) for cost, name in ordered)


def _row(name: Named, cost_nanos: int, lines: list[UsageLine]) -> UsageRow:
    def tokens(*kinds: str) -> int:
        return sum(line.tokens.get(kind, 0) for line in lines for kind in kinds)

    return UsageRow(
        key=name.key,
        label=name.label,
        cost_micros=micros_from_nanos(cost_nanos),
        requests=sum(each.requests for each in lines),
        usage=TokensView(
            input_tokens=tokens("input"),
            output_tokens=tokens("output"),
            cache_read_tokens=tokens("cacheRead"),
            cache_write_tokens=tokens(*_CACHE_WRITES),
        ),
    )


def view_forecast(month: MonthLine) -> ForecastView | None:
    """None where the gateway has too little history."""
    if month.expected_nanos is None or month.low_nanos is None or month.high_nanos is None:
        return None
    expected, low, high = map(
        micros_from_nanos, (month.expected_nanos, month.low_nanos, month.high_nanos)
    )
    return ForecastView(
        month_cost_micros=expected,
        low_micros=low,
        high_micros=high,
        text=f"About {format_micros(expected)} this month, likely between {format_micros(low)} "
        f"and {format_micros(high)}.",
    )


def _refused(field: str, message: Text) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        plain(f"{field}: {message}."),
        [FieldError(field=f"query.{field}", message=message)],
    )
