"""What a soak means to do: stories, stages, restarts; and what its figures say."""

import json
from collections import Counter

import pytest

from heliostat_operator.runs.results import parse_result
from soak.memory import Meter
from soak.programs import Use
from soak.restarts import PARTS, plan_restarts
from soak.stages import FAULTS, build_stages, result
from soak.stories import STORIES, stories


@pytest.mark.parametrize("runs", [100, 1000, 10_000])
def test_every_story_has_its_share(runs: int) -> None:
    told = Counter(story.name for story in stories(runs, seed=1))
    assert told.total() == runs
    for story in STORIES:
        assert abs(told[story.name] - story.share * runs / 1000) <= 1


def test_the_same_seed_tells_the_same_stories() -> None:
    names = [[story.name for story in stories(500, seed)] for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]


def test_every_story_that_kwok_plays_has_a_stage() -> None:
    played = {story.name for story in STORIES if story.by == "kwok"}
    assert played == {name for name, _, _ in FAULTS} | {"unpulled"}
    names = [json.loads(json.dumps(each))["metadata"]["name"] for each in build_stages()]
    assert len(names) == len(set(names))


def test_a_played_document_is_one_that_the_operator_reads() -> None:
    assert parse_result(result("Succeeded", "Unverified")) is not None
    assert parse_result(result("Failed", "VerificationFailed", "agent")) is not None


@pytest.mark.parametrize(("runs", "times"), [(150, 1), (1000, 10), (10_000, 20)])
def test_every_part_dies_as_often_and_the_operator_early(runs: int, times: int) -> None:
    plan = plan_restarts(runs)
    assert plan == sorted(plan)
    assert Counter(each.part for each in plan) == dict.fromkeys(PARTS, times)
    assert all(each.at < runs for each in plan)
    assert max(each.at for each in plan if each.part == "operator") < runs / 10


def meter(*samples: tuple[int, int, int]) -> Meter:
    found = Meter()
    for done, pid, mebibytes in samples:
        found.add(done, Use(pid, 0, mebibytes << 20, cpu=done / 100))
    return found


def test_memory_may_grow_by_a_tenth_from_a_fifth_of_the_way_to_its_end() -> None:
    growth = meter((10, 1, 50), (200, 2, 99), (201, 2, 101), (1000, 2, 110)).growth(1000)
    assert growth is not None
    assert growth.factor == pytest.approx(1.1)
    assert growth.is_kept
    more = meter((200, 2, 100), (1000, 2, 111)).growth(1000)
    assert more is not None
    assert not more.is_kept


def test_memory_of_two_processes_is_not_compared() -> None:
    growth = meter((200, 1, 100), (1000, 2, 100)).growth(1000)
    assert growth is not None
    assert not growth.is_kept
    assert meter((200, 1, 100), (500, 1, 100)).growth(1000) is None


def test_cpu_is_that_of_all_processes() -> None:
    assert meter((100, 1, 1), (200, 1, 1), (300, 2, 1)).cpu_seconds == 2 + 3
