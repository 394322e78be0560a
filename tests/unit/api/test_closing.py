"""What a pod's log gives for a transcript that nobody delivered."""

import json

from heliostat_api.recording.transcript_finaliser import to_keep

CUT = json.dumps({"type": "heliostat", "subtype": "stdout_cut", "text": "stdout ends here"})
LINES = ['{"type": "heliostat", "subtype": "start"}', '{"type": "b"}', '{"type": "c"}']


def test_a_whole_log_is_the_transcript() -> None:
    assert to_keep(LINES) == (LINES, None)
    assert to_keep([]) == ([], None)


def test_a_log_that_ends_early_says_so() -> None:
    assert to_keep([*LINES, CUT]) == (LINES, CUT)


def test_a_log_that_is_gone_leaves_a_word() -> None:
    lines, mark = to_keep(None)
    assert list(lines) == []
    assert mark is not None
    assert json.loads(mark)["subtype"] == "stdout_cut"
    assert "are gone" in json.loads(mark)["text"]


def test_a_log_without_its_beginning_says_nothing_that_has_a_place() -> None:
    for log in (LINES[1:], [*LINES[1:], CUT]):
        lines, mark = to_keep(log)
        assert list(lines) == []
        assert mark is not None
        assert "lost its beginning" in json.loads(mark)["text"]
