"""What kopf keeps on our behalf: nothing."""

import kopf

from heliostat_operator.handlers import NoMemories, build_settings


async def test_an_object_whose_deletion_goes_untold_leaves_nothing_behind() -> None:
    memories = NoMemories()
    body = kopf.RawBody({"metadata": {"uid": "1"}})
    known = await memories.recall(body, memobase=kopf.Memo(), noticed_by_listing=True)
    assert known.noticed_by_listing
    assert list(memories.iter_all_memories()) == []


def test_kopf_reads_and_writes_nothing_of_its_own_on_our_objects() -> None:
    storage = build_settings().persistence.progress_storage
    body = kopf.Body({"metadata": {"annotations": {"kopf.zalando.org/x": "{}"}}})
    patch, essence = kopf.Patch(), kopf.BodyEssence()
    assert storage.fetch(key=kopf.HandlerId("x"), body=body) is None
    storage.store(key=kopf.HandlerId("x"), record=kopf.ProgressRecord(), body=body, patch=patch)
    storage.touch(body=body, patch=patch, value="now")
    storage.purge(key=kopf.HandlerId("x"), body=body, patch=patch)
    assert not patch
    assert storage.clear(essence=essence) is essence
