"""What was reckoned of a schedule before saves time and changes nothing."""

from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.schedules import Schedule
from heliostat_operator.schedules import schedule_forecast as module
from heliostat_operator.schedules.schedule_forecast import ScheduleForecast
from support.builders.resources import NOW, make_agent

HOUR = timedelta(hours=1)
WHOLE_DAYS = st.timedeltas(timedelta(0), timedelta(days=3))


def forecast_of(**fields: object) -> ScheduleForecast:
    schedule = Schedule.model_validate(fields)
    return ScheduleForecast(make_agent(schedule=fields), schedule)


def times(forecast: ScheduleForecast, after: datetime) -> list[tuple[datetime, datetime]]:
    return [(each.scheduled, each.due) for each in islice(forecast.ticks_after(after), 4)]


def test_a_time_that_is_due_and_the_one_ahead_are_known_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forecast = forecast_of(frequency="hourly")
    forecast.reckon(NOW)
    monkeypatch.setattr(module, "fires_after", None)
    known = [each.scheduled for each in islice(forecast.ticks_after(NOW), 2)]
    assert known == [NOW + HOUR, NOW + 2 * HOUR]


@given(
    jitter=st.sampled_from((0, 1, 600)),
    cron=st.sampled_from(("0 * * * *", "*/7 3-5 * * 1-5", "30 2 29 2 *", "0 0 31 2 *")),
    reckoned=st.lists(WHOLE_DAYS, max_size=3),
    asked=WHOLE_DAYS,
)
def test_it_is_the_same_whatever_was_reckoned_before(
    jitter: int, cron: str, reckoned: list[timedelta], asked: timedelta
) -> None:
    fields = {"cron": cron, "timeZone": "Europe/Berlin", "jitterSeconds": jitter}
    forecast = forecast_of(**fields)
    for each in reckoned:
        forecast.reckon(NOW + each)
    assert times(forecast, NOW + asked) == times(forecast_of(**fields), NOW + asked)


def test_it_is_of_one_agent_and_one_spec() -> None:
    agent = make_agent(schedule={"frequency": "hourly"})
    assert agent.spec.schedule is not None
    forecast = ScheduleForecast(agent, agent.spec.schedule)
    assert forecast.is_of(agent)
    for changes in ({"generation": 2}, {"uid": "another"}):
        meta = agent.metadata.model_copy(update=changes)
        assert not forecast.is_of(agent.model_copy(update={"metadata": meta}))
