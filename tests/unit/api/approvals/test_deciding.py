"""Who decides on asks of runs, what the world is told, and what screens hear of it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from heliostat_api.app.main import create_app
from heliostat_api.app.settings import ApiSettings
from heliostat_api.base.roles import Claims, RoleRow
from heliostat_api.documents.port import Put
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.repository import PersonRepository
from heliostat_api.people.topics import topic_of_approvers, topic_of_person
from heliostat_cli.embedded.store import Store
from heliostat_cli.embedded.world import EmbeddedWorld
from heliostat_core.approvals import Approval, ApprovalState, Fact
from heliostat_core.executions import Execution
from heliostat_core.names import OWNER_ANNOTATION
from heliostat_core.worlds import APPROVAL, EXECUTION, InvalidError, JsonObject, Ref
from support.builders.asks import DIGEST, ask_document, make_ask
from support.shared_api import ApiApp, api_app

ROLES = (
    RoleRow.model_validate({"group": "approvers", "role": "approver", "namespaces": ["default"]}),
    RoleRow.model_validate({"group": "ops", "role": "operator", "namespaces": ["default"]}),
    RoleRow.model_validate({"group": "admins", "role": "admin"}),
)
GROUPS = {"ann": "none", "bob": "none", "carl": "approvers", "olga": "ops", "root": "admins"}
APPROVE = {"decision": "approve", "digest": DIGEST}
DENY = {"decision": "deny", "digest": DIGEST}


class Refusing(EmbeddedWorld):
    """A world whose admission policy refuses what the api writes."""

    async def apply(self, obj: JsonObject) -> JsonObject:
        raise InvalidError(f"decide in your own name: {obj['kind']}")


@dataclass(frozen=True)
class Place:
    """An api over the embedded world, and people."""

    api: ApiApp
    world: EmbeddedWorld
    people: dict[str, str]

    def browser(self, name: str) -> httpx2.AsyncClient:
        return self.api.browser(self.people[name])

    async def run(self, owner: str | None = "ann", name: str = "sales-1") -> Execution:
        """A run, recorded."""
        annotations = {OWNER_ANNOTATION: self.people[owner]} if owner else {}
        created = await self.world.create(
            {
                "apiVersion": EXECUTION.api_version,
                "kind": "Execution",
                "metadata": {"name": name, "namespace": "default", "annotations": annotations},
                "spec": {"agentRef": {"name": "sales"}},
            }
        )
        await self.api.parts.recorder.see(EXECUTION, created)
        return Execution.model_validate(created)

    async def ask(self, run: Execution, name: str = "ask-1", /, **spec: object) -> str:
        """An ask of that run, recorded; its id."""
        return await self.put(make_ask(run, name, **spec))

    async def put(self, ask: Approval) -> str:
        return await self.see(await self.world.create(ask_document(ask)))

    async def see(self, obj: JsonObject) -> str:
        path = await self.api.parts.recorder.see(APPROVAL, obj)
        return path.partition("/")[2]

    async def resource(self, name: str = "ask-1") -> Approval:
        return Approval.model_validate(await self.world.get(Ref(APPROVAL, "default", name)))

    async def becomes(self, state: str, name: str = "ask-1") -> None:
        """The operator writes its status, and the recorder sees it."""
        written = await self.world.patch_status(
            {
                "apiVersion": APPROVAL.api_version,
                "kind": "Approval",
                "metadata": {"name": name, "namespace": "default"},
                "status": {"state": state},
            }
        )
        await self.see(written)

    async def decide(
        self, name: str, ask_id: str, body: Mapping[str, object], verb: str = "decide"
    ) -> httpx2.Response:
        async with self.browser(name) as browser:
            return await browser.post(f"/approvals/{ask_id}/{verb}", json=body)

    async def heard(self, audience: str) -> list[tuple[str, object]]:
        found = await self.api.dependencies.log.read([audience], 0)
        return [
            (each.report.type.value, each.report.payload.get("result")) for each in found.reports
        ]

    def told(self, name: str) -> str:
        return topic_of_person(self.people[name])


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with api_app(tmp_path, ApiSettings(roles=ROLES)) as stock:
        world = EmbeddedWorld(Store(tmp_path / "world.sqlite"))
        around = replace(stock.dependencies, world=world.as_manager)
        api = replace(stock, app=create_app(around), dependencies=around)
        register, people = PersonRepository(api.documents, api.clock), {"guest": new_guest_id()}
        for name, group in GROUPS.items():
            identity = Identity("https://id.example", name, Claims(groups=frozenset({group})))
            await register.see_user(identity)
            people[name] = identity.person_id
        yield Place(api, world, people)


async def test_the_owner_decides_once_in_their_own_name(place: Place) -> None:
    ask = await place.ask(await place.run())
    for _ in range(2):
        answer = await place.decide("ann", ask, {**APPROVE, "reason": "as agreed"})
        assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    (said,) = (await place.resource()).spec.decisions
    assert said.by == f"heliostat:{place.people['ann']}"
    assert (said.decision, said.digest, said.reason) == ("Approve", DIGEST, "as agreed")
    heard = [each for each in await place.heard(place.told("ann")) if "approval" in each[0]]
    assert heard[:2] == [("approval.asked", "Pending"), ("approval.decided", "Pending")]


async def test_a_second_word_of_the_same_person_changes_nothing(place: Place) -> None:
    ask = await place.ask(await place.run(), quorum=2)
    assert (await place.decide("ann", ask, APPROVE)).status_code == 202
    assert (await place.decide("ann", ask, DENY)).status_code == 202
    assert [each.decision for each in (await place.resource()).spec.decisions] == ["Approve"]


async def test_what_another_person_says_takes_nothing_back(place: Place) -> None:
    ask = await place.ask(await place.run(), quorum=2)
    for name in ("ann", "carl"):
        assert (await place.decide(name, ask, APPROVE)).status_code == 202
    said = [each.by for each in (await place.resource()).spec.decisions]
    assert said == [f"heliostat:{place.people[name]}" for name in ("ann", "carl")]


@pytest.mark.parametrize(
    ("name", "owner", "spec", "status"),
    [
        ("bob", "ann", {}, 404),
        ("carl", "ann", {}, 404),
        ("root", "ann", {}, 404),
        ("olga", "ann", {"quorum": 2}, 404),
        ("carl", "ann", {"quorum": 2}, 202),
        ("carl", "ann", {"requester_may_approve": False}, 202),
        ("guest", "guest", {}, 403),
        ("olga", None, {}, 403),
        ("root", None, {}, 403),
        ("carl", None, {}, 202),
        ("ann", None, {}, 404),
    ],
)
async def test_who_may_decide(
    place: Place, name: str, owner: str | None, spec: dict[str, object], status: int
) -> None:
    ask = await place.ask(await place.run(owner), **spec)
    assert (await place.decide(name, ask, APPROVE)).status_code == status
    assert bool((await place.resource()).spec.decisions) is (status == 202)
    async with place.browser(name) as browser:
        is_seen = (await browser.get(f"/api/approvals/{ask}")).status_code == 200
        listed = (await browser.get("/api/approvals", params={"open": "true"})).json()["items"]
    assert is_seen is bool(listed) is (status != 404)


async def test_nobody_without_a_session_decides(place: Place) -> None:
    ask = await place.ask(await place.run())
    async with place.api.browser() as browser:
        answer = await browser.post(f"/approvals/{ask}/decide", json=APPROVE)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("fields", "body", "named"),
    [
        ({}, {**APPROVE, "digest": "sha256:" + "0" * 64}, "digest"),
        ({}, {**DENY, "digest": "sha256:" + "0" * 64}, "digest"),
        ({"complete": False}, APPROVE, "decision"),
        ({}, {"decision": "approve"}, "digest"),
        ({}, {**APPROVE, "decision": "maybe"}, "decision"),
        ({}, {**APPROVE, "reason": "x" * 1025}, "reason"),
    ],
)
async def test_what_was_not_shown_is_not_decided(
    place: Place, fields: dict[str, object], body: dict[str, object], named: str
) -> None:
    ask = await place.ask(await place.run(), **fields)
    answer = await place.decide("ann", ask, body)
    assert answer.status_code == 422
    assert any(named in each["field"] for each in answer.json()["errors"]), answer.text
    assert (await place.resource()).spec.decisions == ()


async def test_what_cannot_be_shown_whole_can_be_denied(place: Place) -> None:
    ask = await place.ask(await place.run(), complete=False)
    assert (await place.decide("ann", ask, DENY)).status_code == 202
    assert (await place.resource()).spec.decisions[0].decision == "Deny"


async def test_the_requester_is_barred_also_as_the_guest_that_they_were(place: Place) -> None:
    register = PersonRepository(place.api.documents, place.api.clock)
    guest = place.people["guest"]
    await register.see_guest(guest)
    await register.begin_move(guest, place.people["ann"])
    run = await place.run()
    ask = await place.ask(run, requester_may_approve=False)
    await note_requester(place, run, f"heliostat:{guest}")
    await place.see(await document_of(place))
    refused = await place.decide("ann", ask, APPROVE)
    assert refused.status_code == 403
    assert (await place.decide("ann", ask, DENY)).status_code == 202


async def note_requester(place: Place, run: Execution, by: str) -> None:
    """As the record of a run says who asked for it."""
    documents = place.api.documents
    path = f"executions/{run.metadata.uid}"
    known = await documents.get(path)
    assert known is not None
    spec = known.fields["spec"]
    assert isinstance(spec, dict)
    await documents.commit(Put(path, {**known.fields, "spec": {**spec, "requestedBy": by}}))


async def document_of(place: Place) -> JsonObject:
    found = await place.world.get(Ref(APPROVAL, "default", "ask-1"))
    assert found is not None
    return found


@pytest.mark.parametrize("state", ["Granted", "Denied", "Expired", "Withdrawn", "Done"])
async def test_who_is_late_is_told_how_it_is(place: Place, state: str) -> None:
    ask = await place.ask(await place.run())
    await place.becomes(state)
    before = len(await place.heard(place.told("ann")))
    assert (await place.decide("ann", ask, DENY)).status_code == 202
    assert [result for _, result in (await place.heard(place.told("ann")))[before:]] == [state]
    assert (await place.resource()).spec.decisions == ()


async def test_an_ask_whose_resource_is_gone_is_told_as_it_was(place: Place) -> None:
    ask = await place.ask(await place.run())
    await place.world.delete(Ref(APPROVAL, "default", "ask-1"))
    before = len(await place.heard(place.told("ann")))
    assert (await place.decide("ann", ask, DENY)).status_code == 202
    assert len(await place.heard(place.told("ann"))) == before + 1


async def test_a_policy_that_refuses_the_api_itself_is_no_acceptance(
    place: Place, tmp_path: Path
) -> None:
    ask = await place.ask(await place.run())
    world = Refusing(Store(tmp_path / "world.sqlite"))
    around = replace(place.api.dependencies, world=lambda _: world)
    refusing = replace(place, api=replace(place.api, app=create_app(around)))
    answer = await refusing.decide("ann", ask, APPROVE)
    assert answer.status_code == 422
    assert "your own name" in answer.text


async def test_an_outcome_that_nobody_knew_is_said_by_a_person(place: Place) -> None:
    ask = await place.ask(await place.run())
    body: dict[str, object] = {"outcome": "happened", "reason": "it is in the CRM"}
    assert (await place.decide("ann", ask, body, "resolve")).status_code == 202
    assert (await place.resource()).spec.resolution is None, "it is still pending"
    await place.becomes("OutcomeUnknown")
    for _ in range(2):
        assert (await place.decide("ann", ask, body, "resolve")).status_code == 202
    found = (await place.resource()).spec.resolution
    assert found is not None
    assert (found.by, found.outcome) == (f"heliostat:{place.people['ann']}", "Happened")


async def test_a_resolution_leaves_the_decision_of_the_same_person(place: Place) -> None:
    ask = await place.ask(await place.run())
    await place.decide("ann", ask, APPROVE)
    await place.becomes("OutcomeUnknown")
    body: dict[str, object] = {"outcome": "did_not_happen"}
    await place.decide("ann", ask, body, "resolve")
    spec = (await place.resource()).spec
    assert (len(spec.decisions), spec.resolution is not None) == (1, True)


async def test_all_asks_of_a_run_are_denied_at_once(place: Place) -> None:
    run, other = await place.run(), await place.run(name="sales-2")
    await place.ask(run, "ask-1")
    await place.ask(run, "ask-2", digest="sha256:" + "cd" * 32)
    await place.ask(run, "ask-3", digest="sha256:" + "ef" * 32)
    await place.becomes("Done", "ask-3")
    await place.ask(other, "ask-4")
    async with place.browser("ann") as browser:
        body = {"execution": run.metadata.uid, "reason": "not today"}
        answer = await browser.post("/api/approvals/deny", json=body)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "denied": 2})
    said = {name: (await place.resource(name)).spec.decisions for name in NAMES}
    assert [len(said[name]) for name in NAMES] == [1, 1, 0, 0]
    assert said["ask-2"][0].reason == "not today"
    async with place.browser("bob") as browser:
        assert (await browser.post("/api/approvals/deny", json=body)).status_code == 404


NAMES = ("ask-1", "ask-2", "ask-3", "ask-4")


async def test_an_agent_that_cannot_be_suspended_here_denies_nothing(place: Place) -> None:
    """It was made with kubectl: whoever asked for both is told, and not half obeyed."""
    run = await place.run()
    await place.ask(run)
    async with place.browser("ann") as browser:
        body = {"execution": run.metadata.uid, "suspendAgent": True}
        answer = await browser.post("/api/approvals/deny", json=body)
    assert answer.status_code in (403, 404)
    assert (await place.resource()).spec.decisions == ()


async def test_long_facts_are_whole_where_one_decides_and_cut_in_lists(place: Place) -> None:
    ask = await place.ask(await place.run(), facts=(Fact(name="args", value="x" * 1000),))
    async with place.browser("ann") as browser:
        (listed,) = (await browser.get("/api/approvals")).json()["items"]
        whole = (await browser.get(f"/api/approvals/{ask}")).json()
        both = await browser.get("/api/approvals", params={"open": "true", "execution": "x"})
    assert listed["facts"] == [{"name": "args", "value": "x" * 256, "isCut": True}]
    assert whole["facts"] == [{"name": "args", "value": "x" * 1000, "isCut": False}]
    assert both.status_code == 400


async def test_approvers_hear_of_what_needs_them_and_of_nothing_else(place: Place) -> None:
    run = await place.run()
    await place.ask(run, "ask-1")
    assert await place.heard(topic_of_approvers("default")) == []
    await place.ask(run, "ask-2", quorum=2)
    assert await place.heard(topic_of_approvers("default")) == [("approval.asked", "Pending")]


async def test_the_snapshot_has_what_is_open(place: Place) -> None:
    run = await place.run()
    ask = await place.ask(run, "ask-1")
    await place.ask(run, "ask-2")
    await place.becomes(ApprovalState.DENIED, "ask-2")
    person = await place.api.parts.people.acting(place.people["ann"])
    assert person is not None
    snapshot = await place.api.parts.streams.take_snapshot(person)
    assert [each.id for each in snapshot.approvals] == [ask]


async def test_what_is_said_is_counted_with_how_long_it_was_shown(place: Place) -> None:
    ask = await place.ask(await place.run())
    await place.decide("ann", ask, {**APPROVE, "shownSeconds": 2.9})
    async with place.api.browser() as browser:
        counted = (await browser.get("/metrics")).text
    name = "heliostat_api_approval_decisions_total"
    assert f'{name}{{decision="approve",shown="quick"}} 1.0' in counted
