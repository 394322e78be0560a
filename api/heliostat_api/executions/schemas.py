"""What clients send and get where they ask for a run."""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from heliostat_api.base.views import View
from heliostat_core.executions import MOST_INPUT

MOST_BYTES: Final = 3 * MOST_INPUT
"""Of an input and parameters together: their record has to hold them."""
ParameterName = Annotated[
    str, StringConstraints(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
]
ParameterValue = Annotated[str, StringConstraints(max_length=4096)]


class RunRequest(View):
    """What a run gets beside its agent's prompt. Names and values as an Execution takes them; input
    and values together have at most 786432 bytes."""

    input: Annotated[str, Field(max_length=MOST_INPUT)] = ""
    parameters: Annotated[Mapping[ParameterName, ParameterValue], Field(max_length=64)] = {}

    @model_validator(mode="after")
    def _must_fit(self) -> Self:
        size = sum(len(each.encode()) for each in (self.input, *self.parameters.values()))
        if size > MOST_BYTES:
            said = "input and parameters may have {most} bytes together, not {size}"
            raise PydanticCustomError("order_too_long", said, {"most": MOST_BYTES, "size": size})
        return self


class Accepted(View):
    """A command was taken. `execution` is the uid of the run that it made, if it made one."""

    correlation_id: str
    execution: str | None = None
