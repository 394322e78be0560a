"""The definitions as people meet them: kubectl get and explain."""

import json

import pytest

from heliostat_core.crds import RESOURCES, Resource
from support.builders.asks import ask_document, make_ask
from support.builders.resources import make_execution as make_run
from support.control_plane import Address
from support.objects import make_agent, make_execution, with_metadata
from support.worlds import make_namespace


@pytest.fixture
def server(api_server_with_crds: Address) -> Address:
    return api_server_with_crds


@pytest.mark.parametrize("resource", RESOURCES, ids=[each.kind.name for each in RESOURCES])
def test_the_api_server_finds_the_schema_structural(server: Address, resource: Resource) -> None:
    name = f"{resource.kind.plural}.{resource.kind.group}"
    crd = json.loads(server.kubectl("get", "crd", name, "-o", "json"))
    conditions = {each["type"]: each["status"] for each in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


@pytest.mark.parametrize("resource", RESOURCES, ids=[each.kind.name for each in RESOURCES])
def test_the_short_name_shows_the_columns(server: Address, resource: Resource) -> None:
    namespace = make_namespace(server)
    ask = with_metadata(ask_document(make_ask(make_run("run"))), namespace=namespace)
    for obj in (make_agent(namespace), make_execution(namespace), ask):
        server.kubectl("create", "-f", "-", stdin=json.dumps(obj))
    table = server.kubectl("get", resource.short_name, "-n", namespace, "-o", "wide")
    shown = [column.name.upper() for column in resource.columns]
    assert [word.strip() for word in table.splitlines()[0].split("  ") if word] == ["NAME", *shown]


def test_one_word_shows_all_that_is_ours(server: Address) -> None:
    namespace = make_namespace(server)
    for obj in (make_agent(namespace), make_execution(namespace)):
        server.kubectl("create", "-f", "-", stdin=json.dumps(obj))
    names = server.kubectl("get", "heliostat", "-n", namespace, "-o", "name").split()
    assert sorted(names) == ["agent.heliostat.dev/sales", "execution.heliostat.dev/run"]


def test_explain_tells_what_each_field_is_for(server: Address) -> None:
    text = server.kubectl("explain", "agent.spec.limits.maxCostMicros")
    assert "1000000 is one dollar" in " ".join(text.split())
