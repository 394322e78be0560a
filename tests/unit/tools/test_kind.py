"""`make kind-up` brings up all that the chart needs, in an order that works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.images import IMAGES
from tools.kind import PROGRAMS, missing, up
from tools.machine import ROOT


def test_what_is_missing_is_told_at_once_with_where_to_get_it() -> None:
    assert missing(lambda name: name) == []
    told = missing(lambda name: None if name in ("kind", "helm") else name)
    assert told == [f"{name} is not installed: {PROGRAMS[name]}" for name in ("kind", "helm")]


def test_a_cluster_that_is_there_is_used_again() -> None:
    fresh, again = list(up(is_there=False)), list(up(is_there=True))
    assert fresh[0].command[:3] == ("kind", "create", "cluster")
    added = [each for each in again if each not in fresh]
    assert [each for each in again if each not in added] == fresh[1:]
    assert [each.command[5:7] for each in added] == [
        ("rollout", "restart"),
        ("rollout", "status"),
    ], "their tag is the same, so nothing else would start them anew"


def test_the_tag_of_the_images_is_that_of_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOSTAT_IMAGE_TAG", "mine")
    words = [word for step in up(is_there=False) for word in step.command]
    assert {f"{name}:mine" for name in IMAGES} <= set(words)
    assert "image.tag=mine" in words


def test_every_image_is_in_the_cluster_before_the_chart() -> None:
    commands = [step.command for step in up(is_there=True)]
    load = next(
        i for i, each in enumerate(commands) if each[:3] == ("kind", "load", "docker-image")
    )
    install = next(i for i, each in enumerate(commands) if each[0] == "helm")
    assert load < install
    assert set(commands[load]) >= {f"{name}:dev" for name in IMAGES}


def test_files_that_it_names_are_there() -> None:
    named = {word for step in up(is_there=False) for word in step.command if "/" in word}
    files = {Path(each) for each in named if each.startswith(str(ROOT))}
    assert len(files) >= 4
    assert all(each.exists() for each in files)


def test_a_failing_step_ends_it_with_its_name(tmp_path: Path) -> None:
    for name in PROGRAMS:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n[ {name} != kind ] || [ $1 = get ]\n")
        program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.kind", "up"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "making a cluster failed: see above" in done.stderr
