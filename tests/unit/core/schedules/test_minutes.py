"""The bits of a span are the times that a walk through it finds."""

from datetime import timedelta
from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from heliostat_core.schedules.fires import fires_after
from heliostat_core.schedules.minutes import free_minutes
from support.schedule_strategies import blackouts_near, instants_in, schedules, some_zones

MINUTE = timedelta(minutes=1)
DAYS = 3


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_minutes_of_a_schedule_are_its_times_in_no_blackout(data: st.DataObject) -> None:
    zone = data.draw(some_zones)
    first = data.draw(instants_in(zone))
    blackouts = data.draw(blackouts_near(first))
    schedule = data.draw(schedules(zone)).model_copy(update={"blackouts": blackouts})
    count = DAYS * 24 * 60
    bits = free_minutes(schedule, first, count)
    found = [first + n * MINUTE for n in range(count) if bits >> n & 1]
    ahead = fires_after(schedule, first - MINUTE)
    walked = takewhile(lambda each: each.time < first + count * MINUTE, ahead)
    assert found == [each.time for each in walked if each.blackout is None]
