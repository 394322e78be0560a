"""The chart on a real cluster: upgraded from the last release, tried, taken over, uninstalled."""

from pathlib import Path

import pytest

from heliostat_core.executions import Execution
from support.chart import AGENTS, Chart
from support.documents import Script, find_scripts, run_script
from support.platform import Platform
from support.site import Site

PREVIOUS = max(
    (Path(__file__).parents[1] / "previous").glob("heliostat-*.tgz"),
    key=lambda path: [int(part) for part in path.stem.removeprefix("heliostat-").split(".")],
)
"""The last release's chart; the images are today's."""


@pytest.fixture(scope="module")
def chart(site: Site) -> Chart:
    return Chart(site.cluster).held_by(site, PREVIOUS)


@pytest.fixture(scope="module")
def platform(chart: Chart) -> Platform:
    return Platform(chart.cluster, AGENTS)


def test_runs_live_through_an_upgrade_and_a_rollback(chart: Chart, platform: Platform) -> None:
    secrets = chart.secrets()
    platform.agent("upgraded", model="scripted/slow-steps")
    platform.run("upgraded-1", "upgraded")
    platform.wait_until_running("upgraded-1", seconds=120)
    chart.upgrade()
    assert trigger_of(platform) == "CronJob"  # a field and a default that the release did not know
    assert attempts_of(platform.wait_until_settled("upgraded-1", 120)) == [None]
    platform.run("upgraded-2", "upgraded")
    platform.wait_until_running("upgraded-2")
    chart.rollback(1)
    assert attempts_of(platform.wait_until_settled("upgraded-2", 120)) == [None]
    chart.upgrade()
    assert chart.secrets() == secrets


def trigger_of(platform: Platform) -> object:
    """As the API server fills it in."""
    platform.agent("daily", schedule={"frequency": "daily"}, suspend=True)
    spec = (platform.find("agent", "daily") or {})["spec"]
    assert isinstance(spec, dict)
    schedule = spec["schedule"]
    assert isinstance(schedule, dict)
    return schedule.get("trigger")


def attempts_of(execution: Execution) -> list[str | None]:
    """Why each ended before its time, if it did: runs here end unverified."""
    assert execution.finished_reason == "Unverified"
    return [each.cause for each in execution.status.attempts]


def test_an_agent_runs_on_what_was_upgraded(chart: Chart) -> None:
    assert "Phase:          Succeeded" in chart.helm("test", "heliostat", "--timeout=3m")


@pytest.mark.parametrize("script", find_scripts("chart"), ids=str)
def test_a_pages_commands_run(
    script: Script, chart: Chart, platform: Platform, tmp_path: Path
) -> None:
    run_script(script, tmp_path, 200, chart.cluster.kubectl.environment())
    platform.wait_for_rollout("heliostat-api")
    assert (tmp_path / "backup.sqlite").read_bytes().startswith(b"SQLite format 3")


def test_nothing_but_its_own_clients_reaches_redis(chart: Chart) -> None:
    def reaches(deployment: str) -> bool:
        script = "import socket; socket.create_connection(('heliostat-redis', 6379), 3)"
        return chart.execute(deployment, "python", "-c", script).returncode == 0

    assert reaches("heliostat-gateway")
    assert not reaches("heliostat-operator")


def test_an_uninstall_lets_go_and_the_next_installation_goes_on(
    chart: Chart, platform: Platform
) -> None:
    secrets = chart.secrets()
    platform.agent("long", model="scripted/long")
    platform.run("long-1", "long")
    platform.wait_until_running("long-1")
    chart.helm("uninstall", "heliostat", "--wait", "--timeout=2m")
    platform.wait(
        lambda: "finalizers" not in chart.metadata("execution", "long-1", AGENTS),
        "the Execution is let go",
    )
    chart.cluster.kubectl("-n", AGENTS, "delete", "execution", "long-1", "--timeout=20s")
    chart.install("--take-ownership")
    assert chart.secrets() == secrets
    assert chart.get("agent", "long", AGENTS)["spec"]
