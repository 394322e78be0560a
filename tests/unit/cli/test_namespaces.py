"""In which namespace something is meant: named, the file's own, or the world's."""

from pathlib import Path

import pytest

from heliostat_cli.errors import UsageError
from heliostat_cli.running import Request, read_request
from support.objects import value_at

AGENT = """
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata: {{name: sales{own}}}
spec:
  prompt: Report.
"""


def request(folder: Path, asked: str | None, own: str | None) -> Request:
    path = folder / "sales.yaml"
    path.write_text(AGENT.format(own=f", namespace: {own}" if own else ""))
    return read_request(str(path), asked, None, {})


@pytest.mark.parametrize(
    ("asked", "own", "meant"),
    [
        (None, None, "team"),
        ("asked", None, "asked"),
        (None, "own", "own"),
        ("own", "own", "own"),
    ],
)
def test_a_file_goes_where_it_is_meant(
    tmp_path: Path, asked: str | None, own: str | None, meant: str
) -> None:
    placed = request(tmp_path, asked, own).placed("team")
    assert placed.namespace == meant
    assert placed.agent is not None
    assert value_at(placed.agent, "metadata", "namespace") == meant


def test_a_file_of_another_namespace_than_asked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is of namespace 'own'"):
        request(tmp_path, "asked", "own")


@pytest.mark.parametrize(("asked", "meant"), [(None, "team"), ("asked", "asked")])
def test_a_name_is_looked_for_where_it_is_meant(asked: str | None, meant: str) -> None:
    assert read_request("sales", asked, None, {}).placed("team").namespace == meant
