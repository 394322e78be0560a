"""A new kind is one folder and one row in the registry: everything else follows from the row."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

import heliostat_operator
from heliostat_core.kinds import (
    OWN_RIGHTS,
    REGISTRY,
    RegisteredKind,
    Role,
    recorded_kinds,
    rules_of,
    watches,
)
from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    EVERYTHING,
    EXECUTION,
    JOB,
    LEASE,
    NETWORK_POLICY,
    POD,
    Change,
    JsonObject,
    Kind,
)
from heliostat_operator.controllers.base import Controller
from heliostat_operator.engine import Engine, utc_now
from heliostat_operator.gateway.signing import Signer
from heliostat_operator.handlers import build_registry, build_settings
from support.builders.resources import make_settings
from support.fake_gateway import FakeGateway
from support.manual_loop import run
from support.memory_world import MemoryWorld
from tools import kind_rights

WIDGET = Kind("heliostat.dev", "v1alpha1", "Widget", "widgets")
# The one line that is not in the folder of the kind.
WITH_WIDGETS = (*REGISTRY, RegisteredKind(WIDGET, OWN_RIGHTS, rooms=("widgets",), is_recorded=True))


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder of the kind, as if it lay beside those of the operator."""
    folder = Path(__file__).with_name("example_room")
    monkeypatch.setattr(heliostat_operator, "__path__", [*heliostat_operator.__path__, str(folder)])
    yield
    for name in [each for each in sys.modules if each.startswith("heliostat_operator.widgets")]:
        del sys.modules[name]


def make_engine(world: MemoryWorld) -> Engine:
    signer = Signer("", utc_now)
    return Engine(world, FakeGateway(), signer, make_settings(), registry=WITH_WIDGETS)


def put_widget(world: MemoryWorld, name: str) -> JsonObject:
    metadata: JsonObject = {"name": name, "namespace": "default"}
    return world.put(
        {"apiVersion": WIDGET.api_version, "kind": WIDGET.name, "metadata": metadata, "spec": {}}
    )


def test_its_controller_is_found_and_told_of_changes_and_of_what_a_resync_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules["heliostat_core.worlds"].KINDS, WIDGET.name, WIDGET)

    async def go() -> None:
        world = MemoryWorld()
        put_widget(world, "listed")
        engine = make_engine(world)
        task = asyncio.create_task(engine.run())
        await asyncio.sleep(1)
        engine.see(WIDGET, Change("ADDED", put_widget(world, "brought")))
        await asyncio.sleep(1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert engine.depths()["widget"] == 0
        controller = engine.controller("widget")
        assert vars(controller)["looks"] == [("default", "listed"), ("default", "brought")]
        assert vars(controller)["found"] == [("default", "listed")]

    run(go())


def test_it_is_watched_in_both_worlds() -> None:
    for embedded in (False, True):
        assert watches(WITH_WIDGETS, embedded=embedded)[WIDGET] == EVERYTHING


def test_it_is_recorded() -> None:
    assert recorded_kinds(WITH_WIDGETS) == (AGENT, EXECUTION, APPROVAL, WIDGET)


def test_its_rights_stand_in_the_manifests_roles() -> None:
    def rules(path: str) -> list[JsonObject]:
        objects = yaml.safe_load_all(kind_rights.render(path, WITH_WIDGETS))
        return [rule for each in objects for rule in each.get("rules", ())]

    read = ["get", "list", "watch"]
    group = {"apiGroups": ["heliostat.dev"]}
    operator, api = rules(kind_rights.OPERATOR_FILE), rules(kind_rights.API_FILE)
    assert {**group, "resources": ["widgets"], "verbs": [*read, "patch"]} in operator
    assert {**group, "resources": ["widgets/status"], "verbs": ["patch"]} in operator
    assert {**group, "resources": ["widgets"], "verbs": read} in api
    assert {**group, "resources": ["widgets"], "verbs": ["create", "patch", "delete"]} in api


def test_what_is_not_in_the_embedded_world_is_watched_in_a_cluster_alone() -> None:
    assert set(watches()) - set(watches(embedded=True)) == {LEASE, NETWORK_POLICY}


def test_kopf_watches_each_kind_by_its_selector() -> None:
    ours = "app.kubernetes.io/managed-by=heliostat,heliostat.dev/finished!=true"
    wanted = {kind: selection.label_selector for kind, selection in watches().items()}
    assert wanted == {
        AGENT: "",
        EXECUTION: "heliostat.dev/finished!=true",
        APPROVAL: "",
        JOB: ours,
        POD: ours,
        LEASE: "heliostat.dev/canary=true",
        NETWORK_POLICY: "heliostat.dev/network=runs",
    }
    selectors = build_settings().watching.label_selectors
    assert sorted(selectors.values()) == sorted(filter(None, wanted.values()))

    async def sink(kind: Kind, change: Change) -> None:
        """Hears nothing here."""

    handlers = build_registry(sink, watches())._watching.get_all_handlers()
    assert {each.id for each in handlers} == {f"see-{kind.plural}" for kind in watches()}


def test_every_controller_watches_registered_kinds_alone() -> None:
    engine = make_engine(MemoryWorld())
    watched = {kind for each in engine.controllers for kind in each.kinds}
    assert watched == {AGENT, EXECUTION, APPROVAL, JOB, POD, NETWORK_POLICY, WIDGET}
    assert watched <= set(watches(WITH_WIDGETS))
    assert all(isinstance(each, Controller) for each in engine.controllers)


def test_the_role_of_an_uninstall_may_let_runs_go_and_no_more() -> None:
    assert rules_of(Role.RELEASE) == [
        {"apiGroups": ["heliostat.dev"], "resources": ["agents"], "verbs": ["list", "patch"]},
        {
            "apiGroups": ["heliostat.dev"],
            "resources": ["executions"],
            "verbs": ["get", "list", "watch", "patch"],
        },
        {"apiGroups": ["heliostat.dev"], "resources": ["approvals"], "verbs": ["list", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "delete"]},
    ]
