"""One condition in Kubernetes' own shape, and steps from one list of them to the next."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from heliostat_core.resources import Generation, Instant, Part

ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(Part):
    """One observation about a resource, in Kubernetes' own shape."""

    type: Annotated[str, StringConstraints(max_length=64), Field(description="What is observed.")]
    status: Annotated[ConditionStatus, Field(description="True, False or Unknown.")]
    reason: Annotated[
        str,
        StringConstraints(max_length=64, pattern=r"^[A-Z][A-Za-z]*$"),
        Field(description="Why, as one word that programs may rely on."),
    ]
    message: Annotated[
        str, StringConstraints(max_length=4096), Field(description="Why, for people.")
    ] = ""
    observed_generation: Annotated[
        Generation, Field(description="The generation of the spec that was looked at.")
    ] = 0
    last_transition_time: Annotated[Instant, Field(description="When the status last changed.")]


def find_condition(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of that type, if there."""
    return next((each for each in conditions if each.type == type_), None)


def is_true(conditions: Iterable[Condition], type_: str) -> bool:
    """Whether the condition of that type is True."""
    found = find_condition(conditions, type_)
    return found is not None and found.status == "True"


def set_condition(
    conditions: tuple[Condition, ...],
    type_: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions with this one set; its transition time moves only when the status does."""
    old = find_condition(conditions, type_)
    since = old.last_transition_time if old and old.status == status else now
    new = Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message[:4096],
        observed_generation=generation,
        last_transition_time=since,
    )
    if old is None:
        return (*conditions, new)
    return tuple(new if each.type == type_ else each for each in conditions)
