"""Kinds have the names that kubectl knows."""

import pytest

from heliostat_cli.errors import UsageError
from heliostat_cli.kinds import parse_target


@pytest.mark.parametrize("word", ["execution", "executions", "hex", "executions.heliostat.dev"])
def test_every_name_of_a_kind_is_understood(word: str) -> None:
    assert [each.resource.kind.name for each in parse_target(word, [])] == ["Execution"]


def test_names_come_behind_the_kind_or_behind_a_slash() -> None:
    assert [each.name for each in parse_target("agent", ["a", "b"])] == ["a", "b"]
    assert [each.name for each in parse_target("agent/a", [])] == ["a"]


def test_an_unknown_kind_is_refused_with_a_guess() -> None:
    with pytest.raises(UsageError) as caught:
        parse_target("agnets", [])
    assert (caught.value.fact, caught.value.remedy) == (
        "there is no kind 'agnets'",
        "Did you mean agents?",
    )


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="names its object already"):
        parse_target("agent/a", ["b"])
