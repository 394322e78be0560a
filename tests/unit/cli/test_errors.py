"""Errors are a fact and a remedy, with an exit code of their kind."""

import pytest

from heliostat_cli.errors import CliError, UsageError, explain, render_error
from heliostat_core.worlds import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
    WorldError,
)


def test_a_fact_comes_before_its_remedy() -> None:
    assert render_error(CliError("it is so", "do that")) == "error: it is so\nremedy: do that"
    assert render_error(CliError("it is so")) == "error: it is so"


def test_wrong_usage_differs_from_failure_by_its_exit_code() -> None:
    assert (CliError("x").exit_code, UsageError("x").exit_code) == (1, 2)


@pytest.mark.parametrize(
    "kind", [NotFoundError, InvalidError, ConflictError, ForbiddenError, UnavailableError]
)
def test_every_refusal_of_a_world_has_a_remedy(kind: type[WorldError]) -> None:
    error = explain(kind("the server's words"))
    assert (error.fact, bool(error.remedy)) == ("the server's words", True)
