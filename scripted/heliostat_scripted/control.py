"""What a test or a drill asks of the scripted server: arm faults, read the bill."""

from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from heliostat_scripted.apis import Api
from heliostat_scripted.bill import Bill, BillEntry
from heliostat_scripted.faults import (
    Armed,
    OrderedFault,
    Orders,
    UnknownFaultError,
    parse_fault,
)


class ArmRequest(BaseModel):
    """A fault for the next requests; fields that are left out fit every request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: str  # NAME[;times=N][;after=X]
    times: Annotated[int, Field(ge=1)] | None = None
    after: Annotated[float, Field(ge=0)] | None = None
    model: str = ""
    dialect: Api | None = None
    key: str = ""  # name of the caller's key

    def armed(self) -> Armed:
        """The order, `times` once unless told. Raises UnknownFaultError."""
        read = parse_fault(self.fault)
        after = read.after if self.after is None else self.after
        times = self.times or read.times or 1
        fault = OrderedFault(read.name, after=after)
        return Armed(fault, times, self.dialect or "", self.model, self.key)


class ArmedFault(BaseModel):
    """A fault that waits."""

    fault: str
    left: int
    after: float | None
    model: str
    dialect: str
    key: str


class ArmedFaults(BaseModel):
    """Everything that waits."""

    armed: list[ArmedFault]


class Invoice(BaseModel):
    """The bill, or one execution's part of it, in nano-dollars."""

    total_nanos: int
    entries: list[BillEntry]


@dataclass(frozen=True)
class Control:
    """Endpoints that no real provider has. They need no key: the server is for tests and drills."""

    bill: Bill
    orders: Orders

    def add_to(self, app: web.Application) -> None:
        """Adds the routes."""
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/bill", self._invoice)
        app.router.add_get("/control/faults", self._list)
        app.router.add_post("/control/faults", self._arm)
        app.router.add_delete("/control/faults", self._disarm)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _invoice(self, request: web.Request) -> web.Response:
        entries = self.bill.entries(request.query.get("execution"))
        return _json(Invoice(total_nanos=sum(e.cost_nanos for e in entries), entries=entries))

    async def _list(self, _request: web.Request) -> web.Response:
        return _json(
            ArmedFaults(
                armed=[
                    ArmedFault(
                        fault=each.fault.name,
                        left=each.left,
                        after=each.fault.after,
                        model=each.model,
                        dialect=each.api,
                        key=each.key,
                    )
                    for each in self.orders.armed
                ]
            )
        )

    async def _arm(self, request: web.Request) -> web.Response:
        try:
            order = ArmRequest.model_validate_json(await request.read())
            self.orders.armed.append(order.armed())
        except (ValidationError, UnknownFaultError) as error:
            return web.Response(status=400, text=f"{error}\n")
        return await self._list(request)

    async def _disarm(self, request: web.Request) -> web.Response:
        self.orders.armed.clear()
        return await self._list(request)


def _json(document: BaseModel) -> web.Response:
    return web.Response(text=document.model_dump_json(), content_type="application/json")
