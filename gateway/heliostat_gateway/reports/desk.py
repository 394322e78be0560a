"""The endpoints of reports, under /admin: sums, anomalies, pauses, forecasts."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from heliostat_gateway.errors import invalid_request
from heliostat_gateway.limits.restrictions import StoredRestrictions
from heliostat_gateway.reports.answers import (
    Anomalies,
    AnomalyDocument,
    AnomalyRules,
    ForecastReport,
    Forgot,
    Held,
    Resumed,
    forecast_report,
)
from heliostat_gateway.reports.calendars import instant, read_zone
from heliostat_gateway.reports.dimensions import DIMENSIONS, read_dimensions
from heliostat_gateway.reports.documents import UsageReport, usage_csv, usage_report
from heliostat_gateway.reports.findings import Findings
from heliostat_gateway.reports.forgetting import Forgetting
from heliostat_gateway.reports.months import Month, read_month
from heliostat_gateway.reports.questions import (
    Format,
    UsageParameters,
    read_count,
    read_format,
    read_usage_question,
    read_users,
    refuse_unknown,
)
from heliostat_gateway.reports.rates import RateBook, RateSource, tier_starts
from heliostat_gateway.reports.reading import LedgerReader
from heliostat_gateway.reports.sums import models_between, sum_usage
from heliostat_gateway.reports.watches import AnomalyWatch, WatchRules

_GROUPS: Final = ", ".join(each.name for each in DIMENSIONS)
_FORECAST_BY: Final = ("agent", "model")
Text = str | None
Users = Annotated[Sequence[str], Query(description="Theirs only; may be given more than once.")]


@dataclass(frozen=True)
class Desk:
    """The endpoints' collaborators."""

    reader: LedgerReader
    rates: RateSource
    agent_restrictions: StoredRestrictions
    findings: Findings
    watch: AnomalyWatch
    rules: WatchRules
    forgetting: Forgetting
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def start(self) -> None:
        """Begins to watch what runs cost."""
        await self.agent_restrictions.start()
        self.watch.start()

    async def close(self) -> None:
        """Ends reading and watching."""
        self.reader.close()
        await self.watch.stop()

    def routes(self) -> APIRouter:
        """The routes below /admin; whoever includes them checks the token."""
        router = APIRouter()
        router.add_api_route(
            "/usage",
            self.usage,
            name="get_usage",
            methods=["GET"],
            response_model=UsageReport,
            responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
        )
        router.add_api_route("/anomalies", self.anomalies, name="list_anomalies", methods=["GET"])
        router.add_api_route("/forecast", self.forecast, name="get_forecast", methods=["GET"])
        router.add_api_route(
            "/agents/{namespace}/{name}/resume", self.resume, name="resume_agent", methods=["POST"]
        )
        router.add_api_route("/users/{user}", self.forget, name="forget_user", methods=["DELETE"])
        return router

    async def usage(
        self,
        request: Request,
        since: Annotated[
            Text, Query(alias="from", description="Day or instant; the first.")
        ] = None,
        until: Annotated[Text, Query(alias="to", description="Day or instant; the end.")] = None,
        by: Annotated[Text, Query(description=f"Some of {_GROUPS}, with commas.")] = None,
        time_zone: Annotated[Text, Query(alias="timeZone", description="IANA name.")] = None,
        limit: Annotated[Text, Query(description="Lines a page, at most 1000.")] = None,
        cursor: Annotated[Text, Query(description="`next` of the page before.")] = None,
        format_: Annotated[Text, Query(alias="format", description="json or csv.")] = None,
        user: Users = (),
    ) -> Response:
        """Grouped sums of what was booked, a page at a time."""
        known = ("from", "to", "by", "timeZone", "limit", "cursor", "format", "user")
        _check_names(request, known)
        written = read_format(format_)
        now = self.clock()
        given = UsageParameters(since, until, by, time_zone, limit, cursor)
        question = read_usage_question(given, now, user)

        def work(connection: sqlite3.Connection) -> UsageReport:
            models = models_between(connection, question.from_ms, question.to_ms)
            tiers = tier_starts(self.rates, models, instant(question.to_ms - 1))
            page = sum_usage(connection, question, tiers)
            return usage_report(question, page, RateBook(self.rates, tiers))

        report = await self.reader.run(work)
        if written is Format.JSON:
            return JSONResponse(report.model_dump(by_alias=True))
        headers = {} if report.next is None else {"x-heliostat-next-cursor": report.next}
        return Response(
            usage_csv(report), headers=headers, media_type="text/csv; charset=utf-8; header=present"
        )

    async def forecast(
        self,
        request: Request,
        by: Annotated[Text, Query(description="agent or model.")] = None,
        time_zone: Annotated[Text, Query(alias="timeZone", description="IANA name.")] = None,
        limit: Annotated[Text, Query(description="Lines, at most 200.")] = None,
        user: Users = (),
    ) -> ForecastReport:
        """What this month will have cost, with a range."""
        _check_names(request, ("by", "timeZone", "limit", "user"))
        by = "agent" if by is None else by
        if by not in _FORECAST_BY:
            raise invalid_request(f"by: {by!r} must be {' or '.join(_FORECAST_BY)}.")
        (dimension,) = read_dimensions(by)
        month = Month.of(self.clock(), read_zone(time_zone or "UTC"))
        most = read_count("limit", limit, 20, 200)
        users = read_users(user)
        found = await self.reader.run(
            lambda db: read_month(db, month, dimension, most, self.rates, users)
        )
        return forecast_report(found, by)

    async def anomalies(
        self,
        request: Request,
        agent: Annotated[Text, Query(description="namespace/name; all when not given.")] = None,
        limit: Annotated[Text, Query(description="At most 1000.")] = None,
    ) -> Anomalies:
        """Runs that were out of the ordinary, newest first, and the agents that are held."""
        _check_names(request, ("agent", "limit"))
        found = self.findings.newest(read_count("limit", limit, 100, 1000), agent)
        held = [each for each in self.agent_restrictions.all() if agent in (None, each.agent)]
        return Anomalies(
            check=AnomalyRules(
                action=self.rules.action.value,
                floor_nanos=self.rules.floor_nanos,
                learned=self.watch.learned,
                failures=self.watch.failures,
            ),
            anomalies=[AnomalyDocument.of(each) for each in found],
            held=[Held.of(each) for each in held],
        )

    async def resume(self, namespace: str, name: str) -> Resumed:
        """Lets a paused or slowed agent go on."""
        agent = f"{namespace}/{name}"
        return Resumed(agent=agent, resumed=await self.agent_restrictions.release(agent))

    async def forget(self, user: Annotated[str, Path(min_length=1, max_length=200)]) -> Forgot:
        """Takes a user's name out of what is booked; the sums stay."""
        done = await self.forgetting.forget(user)
        return Forgot(rows=done.rows, open=done.open)


def _check_names(request: Request, known: Sequence[str]) -> None:
    refuse_unknown(request.query_params.keys(), known)
