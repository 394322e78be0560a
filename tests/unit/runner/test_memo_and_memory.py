from __future__ import annotations

from pathlib import Path

from heliostat_runner.memo import Memo, drop_memo, read_memo, write_memo
from heliostat_runner.memory import out_of_memory_kills
from heliostat_runner.settings import Settings, read_settings


def make_settings(tmp_path: Path) -> Settings:
    return read_settings({"HELIOSTAT_STATE_DIR": str(tmp_path)})


def test_kills_are_read_from_either_cgroup_version(tmp_path: Path) -> None:
    v2 = tmp_path / "memory.events"
    v2.write_text("low 0\noom 3\noom_kill 2\noom_group_kill 1\n")
    v1 = tmp_path / "memory.oom_control"
    v1.write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n")

    assert out_of_memory_kills([v2]) == 2
    assert out_of_memory_kills([tmp_path / "absent", v1]) == 7
    assert out_of_memory_kills([tmp_path / "absent"]) == 0


def test_a_memo_is_for_its_own_session(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    write_memo(settings, Memo("s1", done="all \ud800 done"))

    assert read_memo(settings, "s1") == Memo("s1", done="all ? done")
    assert read_memo(settings, "s2") is None

    drop_memo(settings)
    assert read_memo(settings, "s1") is None


def test_a_memo_keeps_the_turns_of_a_run_that_waits(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    write_memo(settings, Memo("s1", turns=7))

    assert read_memo(settings, "s1") == Memo("s1", turns=7)


def test_a_broken_memo_is_none(tmp_path: Path) -> None:
    (tmp_path / "memo.json").write_text("[")

    assert read_memo(make_settings(tmp_path), "s1") is None


def test_a_disk_that_refuses_leaves_no_memo(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "absent")

    write_memo(settings, Memo("s1", done="x"))

    assert read_memo(settings, "s1") is None
