"""What kopf keeps on our behalf: nothing."""

import kopf

from heliostat_operator.handlers import NoMemories


async def test_an_object_whose_deletion_goes_untold_leaves_nothing_behind() -> None:
    memories = NoMemories()
    body = kopf.RawBody({"metadata": {"uid": "1"}})
    known = await memories.recall(body, memobase=kopf.Memo(), noticed_by_listing=True)
    assert known.noticed_by_listing
    assert list(memories.iter_all_memories()) == []
