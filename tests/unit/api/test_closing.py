"""What a pod's log gives for a transcript that nobody delivered."""

import json

import pytest

from heliostat_api.recording.closing import to_keep

CUT = json.dumps({"type": "heliostat", "subtype": "stdout_cut", "text": "stdout ends here"})
LINES = ['{"type": "a"}', '{"type": "b"}', '{"type": "c"}']


@pytest.mark.parametrize("total", [None, 3])
def test_a_whole_log_is_the_transcript(total: int | None) -> None:
    assert to_keep(LINES, 0, total) == LINES


def test_a_log_that_ends_early_says_so_where_the_number_is_unknown() -> None:
    assert to_keep([*LINES, CUT], 0, None) == [*LINES, CUT]
    assert to_keep([*LINES, CUT], 1, None) == [*LINES, CUT], "what is stored is left out by number"


def test_where_the_number_is_known_the_gap_is_marked_by_it() -> None:
    assert to_keep([*LINES, CUT], 0, 10) == LINES


@pytest.mark.parametrize("stored", [0, 2])
def test_a_log_that_is_gone_leaves_a_word_behind_what_is_stored(stored: int) -> None:
    *_, last = kept = to_keep(None, stored, None)
    assert len(kept) == stored + 1
    assert json.loads(last)["subtype"] == "stdout_cut"
    assert "are gone" in json.loads(last)["text"]
    assert to_keep(None, stored, 10) == []


def test_a_runner_may_have_delivered_more_than_its_log_has() -> None:
    kept = to_keep([*LINES, CUT], 7, None)
    assert (len(kept), kept[-1]) == (8, CUT)
