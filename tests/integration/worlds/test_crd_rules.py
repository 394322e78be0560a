"""Every rule of the CRDs, accepted and refused, on every world."""

from itertools import count

import pytest

from heliostat_core.worlds import InvalidError, World
from support.crd_cases import RULE_CASES, UPDATES, Case, Node, Update, bound_cases, nodes
from support.worlds import document

NODES = [node for node in nodes() if any(bound_cases(node))]


async def run_case(world: World, namespace: str, name: str, case: Case) -> str | None:
    """What went otherwise than the case says, or None."""
    obj = document(case.kind, namespace, name, spec=case.spec)
    try:
        await world.create(obj)
        if case.status is not None:
            await world.patch_status({**obj, "status": case.status})
    except InvalidError as error:
        if case.refused_at is None:
            return f"{case.name}: must be accepted, but: {error}"
        return None if _says(str(error), case) else f"{case.name}: refused with {error}"
    return f"{case.name}: must be refused" if case.refused_at is not None else None


def _says(error: str, case: Case | Update) -> bool:
    return f"{case.refused_at}:" in error and case.message in error


@pytest.mark.parametrize("node", NODES, ids=[node.label for node in NODES])
async def test_a_value_at_its_bound_is_accepted_and_beyond_it_refused(
    world: World, namespace: str, node: Node
) -> None:
    number = count(1)
    outcomes = [
        await run_case(world, namespace, f"case-{next(number)}", case) for case in bound_cases(node)
    ]
    assert [outcome for outcome in outcomes if outcome] == []


@pytest.mark.parametrize("case", RULE_CASES, ids=[case.name for case in RULE_CASES])
async def test_a_rule_across_fields_holds(world: World, namespace: str, case: Case) -> None:
    assert await run_case(world, namespace, "case", case) is None


@pytest.mark.parametrize("update", UPDATES, ids=[update.name for update in UPDATES])
async def test_a_rule_about_a_change_holds(world: World, namespace: str, update: Update) -> None:
    before = document(update.kind, namespace, "case", spec=update.before)
    await world.apply(before)
    if update.status is not None:
        await world.patch_status({**before, "status": update.status})
    after = document(update.kind, namespace, "case", spec=update.after)
    if update.refused_at is None:
        await world.apply(after)
        return
    with pytest.raises(InvalidError) as caught:
        await world.apply(after)
    assert _says(str(caught.value), update)
