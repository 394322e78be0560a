"""`status.schedule` of an Agent: what became of each time of its schedule."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from heliostat_core.resources import Count, Generation, Instant, ObjectName, Part, ShortText

MOST_RECEIPTS = 32
LONGEST_WORD = 64

Outcome = Literal["Ran", "Late", "Skipped", "Missed"]
RunResult = Literal["Succeeded", "Failed", "Cancelled", "Gone"]
Word = Annotated[str, StringConstraints(max_length=LONGEST_WORD)]


class Receipt(Part):
    """What became of one time of the schedule, or of several in a row with the same end."""

    scheduled_time: Annotated[Instant, Field(description="The time of the schedule.")]
    last_time: Annotated[
        Instant | None,
        Field(description="The last of several times in a row that ended alike."),
    ] = None
    count: Annotated[Count, Field(description="How many times these are.")] = 1
    outcome: Annotated[
        Outcome,
        Field(
            description="Ran: an Execution was made. Late: the same, more than a minute after its "
            "time. Skipped: left out as the Agent's spec wants it. Missed: it could not be kept."
        ),
    ]
    reason: Annotated[Word, Field(description="Why, as one word that programs may rely on.")]
    message: Annotated[ShortText, Field(description="Why, for people.")] = ""
    time: Annotated[Instant, Field(description="When that was decided.")]
    execution_name: Annotated[
        ObjectName | None, Field(description="The Execution that was made.")
    ] = None
    result: Annotated[
        RunResult | None,
        Field(
            description="How that Execution ended, once it has; Gone: it was deleted before that "
            "was seen."
        ),
    ] = None


class SchedulePause(Part):
    """The schedule stands still after failures."""

    time: Annotated[Instant, Field(description="Since when.")]
    reason: Annotated[Word, Field(description="Why, as one word that programs may rely on.")]
    message: Annotated[ShortText, Field(description="Why, and what ends it, for people.")] = ""
    generation: Annotated[
        Generation,
        Field(description="The generation of the spec that was paused: an edit ends it."),
    ]
    resumed_mark: Annotated[
        Word,
        Field(
            description="The Agent's annotation heliostat.dev/schedule-resumed at that time: "
            "another value ends it."
        ),
    ] = ""


class ScheduleStatus(Part):
    """How the schedule stands."""

    words: Annotated[
        str,
        StringConstraints(max_length=256),
        Field(description="The schedule in words, for people."),
    ] = ""
    next: Annotated[
        Instant | None,
        Field(description="When the next run starts; not given while none will."),
    ] = None
    next_scheduled_time: Annotated[
        Instant | None,
        Field(description="The time of the schedule that it is for, without its jitter."),
    ] = None
    decided_time: Annotated[
        Instant, Field(description="Each time of the schedule until here has its end.")
    ]
    digest: Annotated[
        str,
        StringConstraints(max_length=64),
        Field(description="Which times these are about: another schedule begins anew."),
    ] = ""
    fired_by: Annotated[
        Word,
        Field(
            description="Who starts the runs now: Builtin, the operator's own timer, also where "
            "spec.schedule.trigger is not at hand, as with `heliostat dev`."
        ),
    ] = "Builtin"
    queued_time: Annotated[
        Instant | None,
        Field(description="The time whose run waits for the one before, with overlap QueueOne."),
    ] = None
    failures: Annotated[
        Count, Field(description="Failed runs of the schedule in a row, since the last pause.")
    ] = 0
    paused: Annotated[
        SchedulePause | None, Field(description="Why the schedule stands still, when it does.")
    ] = None
    recent: Annotated[
        tuple[Receipt, ...],
        Field(max_length=MOST_RECEIPTS, description="What became of the last times, newest first."),
    ] = ()
