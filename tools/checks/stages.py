"""The stages of `.ci/run`, and which of them may run side by side."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

_INSTALL = (
    "apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends {0}"
    " || { apt-get -o DPkg::Lock::Timeout=120 update &&"
    " apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends {0}; }"
)


@dataclass(frozen=True)
class Stage:
    """One line of a shell, started when the stages that it names have ended, well or not."""

    name: str
    command: str
    after: tuple[str, ...] = ()


def install(packages: str) -> str:
    """A line that installs packages of Debian, from newer lists where those here are old."""
    return _INSTALL.replace("{0}", packages)


# A change is judged by all of them: each runs, even after another has failed.
STAGES = (
    Stage("setup", "make setup"),
    # What no package index of Python holds: Redis, a browser with letters for Korean, and what
    # reads rules of Prometheus.
    Stage("redis", f"command -v redis-server || {install('redis-server')}", ("setup",)),
    Stage(
        "browser",
        f"command -v chromium-headless-shell || {install('chromium-headless-shell fonts-noto-cjk')}"
        f" || command -v chromium || {install('chromium fonts-noto-cjk')}",
        ("redis",),
    ),
    Stage(
        "promtool",
        ".venv/bin/python -m tools.promtool"
        " || { apt-get update && .venv/bin/python -m tools.promtool; }",
        ("browser",),
    ),
    # The cluster of the e2e tests with our images in it, beside what needs neither.
    Stage("images", ".venv/bin/python -m tools.checks.cluster up", ("promtool",)),
    Stage("lint", "make lint", ("promtool",)),
    Stage("types", "make types", ("lint",)),
    Stage("verify", "make verify", ("types",)),
    Stage("unit", "make test-unit", ("verify",)),
    # Side by side: e2e tests wait most of their time, and integration tests take what they leave.
    Stage("integration", "nice -n 5 make test-integration", ("unit",)),
    Stage("e2e", "make test-e2e", ("images", "verify")),
    # To remove its files takes most of a minute.
    Stage("teardown", ".venv/bin/python -m tools.checks.cluster down", ("e2e",)),
)


def find_ready(
    stages: Iterable[Stage], started: Collection[str], ended: Mapping[str, object]
) -> Iterator[Stage]:
    """Those that have not started and wait for nothing any more."""
    for stage in stages:
        if stage.name not in started and all(name in ended for name in stage.after):
            yield stage
