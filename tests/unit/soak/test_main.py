"""What `make soak` says where there is no cluster for real pods."""

from pathlib import Path

import pytest

from soak.__main__ import in_real_pods
from soak.course import Options
from support.cluster import NoClusterError


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HELIOSTAT_KUBE", "PATH"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("HELIOSTAT_E2E", "REAL"):
        monkeypatch.delenv(name, raising=False)


def test_runs_in_real_pods_are_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(in_real_pods(Options())) == []
    said = capsys.readouterr().out
    assert "left out: 200 runs in real pods" in said
    assert "HELIOSTAT_KUBE" in said, "the remedy"


def test_runs_in_real_pods_that_were_asked_for_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REAL", "10")
    with pytest.raises(NoClusterError):
        list(in_real_pods(Options()))


def test_nobody_wants_any(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REAL", "0")
    assert list(in_real_pods(Options())) == []
    assert capsys.readouterr().out == ""
