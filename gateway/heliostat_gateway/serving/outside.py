"""`/v1/heliostat/egress`: what an execution key opens outside, for the egress proxy."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from heliostat_gateway.access.callers import KeyKind
from heliostat_gateway.access.key_documents import RefusalDocument
from heliostat_gateway.calls.handler import ModelCallHandler
from heliostat_gateway.errors import DO_NOT_RETRY, RefusalError


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class HostDocument(_Document):
    """A host as the Agent names it."""

    host: str
    ports: list[int]


class OutsideDocument(_Document):
    """Who bears the key, the hosts that its Agent named when the attempt began, and the networks
    that none of them may lead to."""

    execution: str
    attempt: int
    agent: str
    correlation_id: str
    egress: list[HostDocument]
    refused: list[str]


@dataclass(frozen=True)
class Outside:
    """The endpoint's collaborators."""

    handler: ModelCallHandler

    def endpoints(self) -> APIRouter:
        """The path."""
        refusal = {"model": RefusalDocument}
        router = APIRouter(
            prefix="/v1/heliostat", tags=["models"], responses={"4XX": refusal, "5XX": refusal}
        )
        router.add_api_route("/egress", self.show, name="get_egress_allowance", methods=["GET"])
        return router

    async def show(self, request: Request) -> OutsideDocument:
        """Hosts outside that this key opens at the egress proxy; 401 once it is revoked."""
        caller = self.handler.authenticate(request.headers)
        if caller.kind is not KeyKind.EXECUTION:
            raise RefusalError(
                403,
                "permission_error",
                "Only the key of a run opens hosts outside: those of its Agent.",
                DO_NOT_RETRY,
            )
        return OutsideDocument(
            execution=caller.execution,
            attempt=caller.attempt,
            agent=caller.agent,
            correlation_id=caller.correlation,
            egress=[HostDocument(host=host, ports=list(ports)) for host, ports in caller.egress],
            refused=list(caller.refused),
        )
