"""Which world a command means."""

import pytest

from heliostat_cli.errors import UsageError
from heliostat_cli.worlds import Place, WorldName, choose_place

EMBEDDED, CLUSTER = WorldName.EMBEDDED, WorldName.CLUSTER


@pytest.mark.parametrize(
    ("world", "context", "variable", "expected"),
    [
        (None, None, "", Place(EMBEDDED)),
        (None, "dev", "", Place(CLUSTER, "dev")),
        (None, None, "cluster", Place(CLUSTER)),
        (EMBEDDED, None, "cluster", Place(EMBEDDED)),
        (CLUSTER, "dev", "", Place(CLUSTER, "dev")),
    ],
)
def test_options_win_over_the_variable(
    world: WorldName | None, context: str | None, variable: str, expected: Place
) -> None:
    assert choose_place(world, context, {"HELIOSTAT_WORLD": variable}) == expected


def test_contradictions_and_unknown_worlds_are_refused() -> None:
    with pytest.raises(UsageError, match="--context names a cluster"):
        choose_place(EMBEDDED, "dev", {})
    with pytest.raises(UsageError, match="HELIOSTAT_WORLD is 'moon'"):
        choose_place(None, None, {"HELIOSTAT_WORLD": "moon"})
