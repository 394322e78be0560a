"""How many of our files a request passes: never more than today."""

from pathlib import Path

from bench.walk.flows import walk_chat_answer, walk_execution, walk_model_call
from bench.walk.limits import CHAT_ANSWER, EXECUTION, MODEL_CALL, Limit


def check(files: list[str], limit: Limit) -> None:
    listing = "\n  ".join(files)
    assert len(files) <= limit.today, f"{len(files)} files, allowed {limit.today}:\n  {listing}"


async def test_a_streamed_model_call(tmp_path: Path) -> None:
    files = await walk_model_call(tmp_path)
    assert any(each.startswith("gateway/") for each in files)
    check(files, MODEL_CALL)


async def test_from_an_execution_to_its_job(tmp_path: Path, control_plane_programs: Path) -> None:
    files = await walk_execution(tmp_path, control_plane_programs)
    assert "core/heliostat_kubernetes/cluster.py" in files
    check(files, EXECUTION)


async def test_an_answer_in_the_chat(tmp_path: Path) -> None:
    files = await walk_chat_answer(tmp_path)
    assert any(each.startswith("api/heliostat_api/chat/") for each in files)
    check(files, CHAT_ANSWER)
