"""`/v1/heliostat/requests/{id}`: what a request cost in the end, for the key that made it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from heliostat_gateway.access.key_documents import RefusalDocument
from heliostat_gateway.calls.handler import ModelCallHandler
from heliostat_gateway.errors import RefusalError
from heliostat_gateway.money.bookings import Booking, LedgerRow, Usage, sum_usages


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class TokenCounts(_Document):
    """Usage by kind. Thinking is a part of output; searches are no tokens."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write5m_tokens: Annotated[int, Field(alias="cacheWrite5mTokens")]
    cache_write1h_tokens: Annotated[int, Field(alias="cacheWrite1hTokens")]
    thinking_tokens: int
    web_searches: int

    @classmethod
    def of(cls, usages: list[Usage]) -> Self:
        """The sum."""
        total = sum_usages(usages)
        return cls(
            input_tokens=total.input,
            output_tokens=total.output,
            cache_read_tokens=total.cache_read,
            cache_write5m_tokens=total.cache_write_5m,
            cache_write1h_tokens=total.cache_write_1h,
            thinking_tokens=total.thinking,
            web_searches=total.web_searches,
        )


class RequestPart(_Document):
    """One attempt that reached a provider."""

    part: int
    provider: str
    model: str
    outcome: str
    usage: TokenCounts
    cost_nanos: int
    estimated: bool
    unpriced: list[str]
    provider_request: str | None


class RequestFigures(_Document):
    """A request in the ledger. While it is `open` the figures are those so far."""

    id: str
    open: bool
    started_time: datetime
    ended_time: datetime | None
    parts: list[RequestPart]
    usage: TokenCounts
    cost_nanos: int
    estimated: bool


@dataclass(frozen=True)
class Requests:
    """The endpoint's collaborators."""

    handler: ModelCallHandler

    def endpoints(self) -> APIRouter:
        """The path."""
        refusal = {"model": RefusalDocument}
        router = APIRouter(
            prefix="/v1/heliostat", tags=["models"], responses={"4XX": refusal, "5XX": refusal}
        )
        router.add_api_route(
            "/requests/{request_id}", self.figures, name="get_request_figures", methods=["GET"]
        )
        return router

    async def figures(self, request_id: str, request: Request) -> RequestFigures:
        """The final figures of a request of the same key, by its `x-heliostat-request-id`."""
        caller = self.handler.authenticate(request.headers)
        rows = await self.handler.dependencies.ledger.request(request_id)
        if not rows or rows[0].key != caller.key:
            raise RefusalError(
                404,
                "not_found_error",
                "This key made no request with this id. "
                "Answers carry theirs as x-heliostat-request-id.",
            )
        return _figures(rows)


def _figures(rows: list[LedgerRow]) -> RequestFigures:
    bookings = [row.booking for row in rows]
    ended = [row.ended_ms for row in rows if row.ended_ms is not None]
    is_open = len(ended) < len(rows)
    return RequestFigures(
        id=bookings[0].id,
        open=is_open,
        started_time=_instant(rows[0].started_ms),
        ended_time=None if is_open else _instant(max(ended)),
        parts=[_part(booking) for booking in bookings],
        usage=TokenCounts.of([booking.usage for booking in bookings]),
        cost_nanos=sum(booking.cost_nanos for booking in bookings),
        estimated=any(booking.estimated for booking in bookings),
    )


def _part(booking: Booking) -> RequestPart:
    return RequestPart(
        part=booking.part,
        provider=booking.provider,
        model=booking.model,
        outcome=booking.outcome,
        usage=TokenCounts.of([booking.usage]),
        cost_nanos=booking.cost_nanos,
        estimated=booking.estimated,
        unpriced=list(booking.usage.terms.unpriced),
        provider_request=booking.provider_request or None,
    )


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
