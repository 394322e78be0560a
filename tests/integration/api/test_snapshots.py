"""Where a screen begins: all that lives, the last that ended, however much there is."""

import json
from contextlib import aclosing
from pathlib import Path

from heliostat_api.base.person import Person, PersonKind
from heliostat_core.conditions import FinishedReason
from support.builders.resources import NOW, make_condition_status, make_execution, seconds
from support.shared_api import ApiApp, api_app

ANN = Person("guest-" + "0" * 32, PersonKind.GUEST)
OLD, RECENT = 12, 50


async def give_runs(api: ApiApp) -> None:
    """Two that live and are the oldest, then so many that ended."""
    over = make_condition_status(succeeded="True", reason=FinishedReason.VERIFIED)
    for number in range(OLD + RECENT + 2):
        status = None if number < 2 else over
        run = make_execution(f"run-{number:03}", status=status, created=NOW + seconds(number))
        await api.give(ANN.id, {**run.to_json(), "kind": "Execution"})


async def test_all_that_live_and_the_last_fifty_are_in_it(tmp_path: Path) -> None:
    async with api_app(tmp_path) as api:
        await give_runs(api)
        async with aclosing(api.parts.streams.follow(ANN, None)) as events:
            snapshot = json.loads((await anext(events)).raw_data or "")
    names = [each["name"] for each in snapshot["executions"]]
    newest = [f"run-{number:03}" for number in reversed(range(OLD + 2, OLD + RECENT + 2))]
    assert names == [*newest, "run-001", "run-000"]
