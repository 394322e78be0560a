"""What ends a run of an Agent, what follows a failure, and what is kept."""

from typing import Annotated

from pydantic import Field

from heliostat_core.resources import (
    Micros,
    Part,
)


class Limits(Part):
    """What ends a run; each limit holds for all attempts together where nothing else is said."""

    timeout_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=604800,
            description="Seconds that the agent may run, all attempts together. Waiting in the "
            "queue, for the image or between attempts does not count.",
        ),
    ] = 3600
    max_turns: Annotated[
        int,
        Field(ge=1, le=10000, description="Turns that the model may take in one attempt."),
    ] = 200
    max_tokens: Annotated[
        int | None,
        Field(
            ge=1,
            le=1_000_000_000_000,
            description="Tokens of every kind (input, output, cache) that all attempts together "
            "may use. No limit when not given.",
        ),
    ] = None
    max_cost_micros: Annotated[
        Micros,
        Field(
            description="Micro-dollars that all attempts together may cost: 1000000 is one dollar. "
            "Once they are spent, the gateway refuses further calls; those in flight finish and "
            "may exceed it."
        ),
    ] = 5_000_000


class Retry(Part):
    """What happens after a failure."""

    limit: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            description="How many further attempts follow when the agent fails, or needs more "
            "memory or temporary storage than it may have. An attempt that the infrastructure "
            "broke (drain, eviction from a full node, lost node) is made again up to ten times "
            "without counting here.",
        ),
    ] = 0
    backoff_seconds: Annotated[
        tuple[Annotated[int, Field(ge=0, le=86400, description="Seconds.")], ...],
        Field(
            min_length=1,
            max_length=20,
            description="Seconds to wait before the first, second, ... further attempt; the last "
            "number repeats.",
        ),
    ] = (5, 30, 300)


class History(Part):
    """How long finished Executions are kept; the oldest go first, running ones never."""

    successful: Annotated[
        int, Field(ge=0, le=100_000, description="How many succeeded Executions are kept.")
    ] = 10
    failed: Annotated[
        int,
        Field(ge=0, le=100_000, description="How many failed and cancelled Executions are kept."),
    ] = 10
    ttl_seconds: Annotated[
        int | None,
        Field(
            ge=0,
            le=31_536_000,
            description="Finished Executions are deleted after so many seconds, however few there "
            "are. No such limit when not given.",
        ),
    ] = None
