"""`spec.schedule` of an Agent: the model, its bounds and the rules that the API server holds."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from heliostat_core.resources import Instant, Part, ShortText, rules

MOST_CAUGHT_UP = 100
MOST_FAILURES = 20
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
Frequency = Literal["hourly", "daily", "weekly", "monthly"]
Overlap = Literal["Skip", "QueueOne", "Replace", "Allow"]
CatchUp = Literal["None", "Latest", "All"]
DaylightSaving = Literal["Wall", "Once", "UTC"]
TriggerKind = Literal["CronJob", "Builtin", "CloudScheduler"]


def _field(number: str, *special: str) -> str:
    """One field of a cron expression: numbers, ranges, steps, lists and what is special to it."""
    span = rf"(?:\*|{number}(?:-{number})?)(?:/[1-9][0-9]?)?"
    item = "|".join((span, *special))
    return f"(?:{item})(?:,(?:{item}))*"


_MINUTE = _field("[0-5]?[0-9]")
_HOUR = _field("(?:[01]?[0-9]|2[0-3])")
_DAY = _field("(?:0?[1-9]|[12][0-9]|3[01])", "LW?")
_MONTH = _field("(?:0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)")
_WEEKDAY = _field("(?:[0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)", "[0-7]L", "[0-7]#[1-5]")

CRON_PATTERN = f"^{_MINUTE} {_HOUR} {_DAY} {_MONTH} {_WEEKDAY}$"
TIME_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
ZONE_PATTERN = "^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"

_CRON_FORM = (
    "must be a cron expression of five fields (minute, hour, day of the month, month, day of the "
    "week), for example `0 8 * * 1-5`; in place of a name such as @hourly write `0 * * * *`, or "
    "use frequency"
)


def _check_cron(text: str) -> str:
    if not re.fullmatch(CRON_PATTERN, text):
        raise ValueError(_CRON_FORM)
    return text


# A rule and no pattern: the API server says a pattern's letters, of which this one has 1,100.
Cron = Annotated[
    str,
    StringConstraints(max_length=128),
    AfterValidator(_check_cron),
    Field(json_schema_extra=rules((f"self.matches(r'{CRON_PATTERN}')", _CRON_FORM))),
]
TimeOfDay = Annotated[str, StringConstraints(min_length=5, max_length=5, pattern=TIME_PATTERN)]
TimeZone = Annotated[
    str,
    StringConstraints(min_length=2, max_length=32, pattern=ZONE_PATTERN),
    Field(
        json_schema_extra=rules(
            (
                # The API server has the zones of IANA; a name that it lacks is an error here.
                "timestamp('2024-01-01T00:00:00Z').getHours(self) >= 0 && self != 'Local'",
                "must be a time zone of IANA, for example Asia/Seoul or UTC",
            )
        )
    ),
]


class Blackout(Part):
    """A time in which no scheduled run starts: once, or again and again."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.startTime) == has(self.endTime) && "
                "has(self.cron) == has(self.durationSeconds) && "
                "has(self.startTime) != has(self.cron)",
                "must set startTime and endTime for a blackout that happens once, or cron and "
                "durationSeconds for one that recurs",
            ),
            (
                "!has(self.startTime) || !has(self.endTime) || "
                "timestamp(self.startTime) < timestamp(self.endTime)",
                "endTime must be after startTime",
            ),
        )
    )

    reason: Annotated[
        ShortText, Field(description="Why, for people: stands on the record of what it skips.")
    ] = ""
    start_time: Annotated[
        Instant | None, Field(description="When a blackout that happens once begins.")
    ] = None
    end_time: Annotated[
        Instant | None, Field(description="When it is over; a run may start at that instant.")
    ] = None
    cron: Annotated[
        Cron | None,
        Field(description="When a recurring blackout begins, in the time zone of the schedule."),
    ] = None
    duration_seconds: Annotated[
        int | None,
        Field(ge=60, le=2_678_400, description="How long a recurring blackout lasts."),
    ] = None


class Schedule(Part):
    """When an Agent starts by itself, and what becomes of a time that can't be kept."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("has(self.cron) != has(self.frequency)", "must set exactly one of cron and frequency"),
            (
                "!has(self.cron) || !(has(self.time) || has(self.weekday) || has(self.monthDay))",
                "must leave out time, weekday and monthDay beside cron, which says when itself",
            ),
            (
                "!has(self.weekday) || !has(self.frequency) || self.frequency == 'weekly'",
                "must set weekday only with frequency weekly",
            ),
            (
                "!has(self.monthDay) || !has(self.frequency) || self.frequency == 'monthly'",
                "must set monthDay only with frequency monthly",
            ),
        )
    )

    cron: Annotated[
        Cron | None,
        Field(
            description="When, as a cron expression of five fields: minute, hour, day of the "
            "month, month, day of the week; for example `0 8 * * 1-5`. Days: L is the last of the "
            "month, LW the last from Monday to Friday, 5L the last Friday, 1#2 the second Monday. "
            "With both days given one of them is enough, unless one begins with *."
        ),
    ] = None
    frequency: Annotated[
        Frequency | None,
        Field(description="When, without cron: hourly, daily, weekly or monthly."),
    ] = None
    time: Annotated[
        TimeOfDay | None,
        Field(
            description="Time of the day with frequency, for example `08:00`; hourly takes its "
            "minutes. Midnight when not given."
        ),
    ] = None
    weekday: Annotated[
        Weekday | None, Field(description="Day with frequency weekly. Monday when not given.")
    ] = None
    month_day: Annotated[
        int | None,
        Field(
            ge=1,
            le=31,
            description="Day with frequency monthly; in a shorter month its last day. The first "
            "when not given.",
        ),
    ] = None
    time_zone: Annotated[
        TimeZone, Field(description="Time zone of IANA in which times are read.")
    ] = "UTC"
    suspend: Annotated[
        bool,
        Field(description="While true, each time of the schedule is skipped. Runs by hand start."),
    ] = False
    overlap: Annotated[
        Overlap,
        Field(
            description="What happens while a run of the schedule is not finished. Skip: the new "
            "one is left out. QueueOne: one waits for it, further ones are left out. Replace: the "
            "old one is stopped. Allow: both run."
        ),
    ] = "Skip"
    catch_up: Annotated[
        CatchUp,
        Field(
            description="What becomes of times more than a minute ago that could not be kept, for "
            "example because the operator was away. None: they are missed. Latest: the last one "
            "runs late. All: the last maxCatchUp of them run late, each by the rule of overlap."
        ),
    ] = "Latest"
    max_catch_up: Annotated[
        int,
        Field(ge=1, le=MOST_CAUGHT_UP, description="How many run late with catchUp All."),
    ] = 10
    jitter_seconds: Annotated[
        int,
        Field(
            ge=0,
            le=3600,
            description="Each run starts up to so many seconds after its time, so that many agents "
            "do not start at once: always as many for the same agent and time, and before the time "
            "after it.",
        ),
    ] = 0
    starting_deadline_seconds: Annotated[
        int | None,
        Field(
            ge=10,
            le=2_678_400,
            description="A time that could not be kept for so long is missed, whatever catchUp "
            "says; an Execution that was not admitted by then fails as DeadlinePassed.",
        ),
    ] = None
    blackouts: Annotated[
        tuple[Blackout, ...],
        Field(max_length=32, description="Times in which no scheduled run starts."),
    ] = ()
    daylight_saving: Annotated[
        DaylightSaving,
        Field(
            description="When clocks change. Once: each time of the day comes once; one that the "
            "clocks skip comes at the first instant after it, one that they repeat the first time. "
            "Wall: as the clock on the wall shows it; what is skipped does not come, what is "
            "repeated comes twice. UTC: the fields are read in UTC."
        ),
    ] = "Once"
    pause_after_failures: Annotated[
        int | None,
        Field(
            ge=1,
            le=MOST_FAILURES,
            description="So many failed runs of the schedule in a row pause it, until the Agent is "
            "edited, `heliostat resume` or a good run by hand. Never when not given.",
        ),
    ] = None
    trigger: Annotated[
        TriggerKind,
        Field(
            description="Who starts the runs. CronJob: Kubernetes' own timer, whose small pod "
            "makes each Execution, even while the operator is away. Builtin: the operator's timer, "
            "without a pod. CloudScheduler: Google's, which calls the api. Where a trigger is not "
            "at hand, and for times that it cannot say, the operator's timer starts the run."
        ),
    ] = "CronJob"

    @property
    def latest_start_seconds(self) -> int | None:
        """For so long after its time, jitter included, a run may be admitted; None for ever."""
        if self.starting_deadline_seconds is None:
            return None
        return self.jitter_seconds + self.starting_deadline_seconds
