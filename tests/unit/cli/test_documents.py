"""Objects as JSON, YAML and names, as kubectl prints them."""

import json

import yaml

from heliostat_cli.documents import Output, as_list, render_document, render_names, shown
from heliostat_core.crds import RESOURCES
from heliostat_core.worlds import JsonObject

OBJECT: JsonObject = {
    "kind": "Agent",
    "metadata": {"name": "sales", "managedFields": [{"manager": "x"}]},
    "spec": {"prompt": "one\ntwo\n"},
}


def test_field_managers_are_left_out() -> None:
    assert shown(OBJECT)["metadata"] == {"name": "sales"}
    assert "managedFields" in str(OBJECT)


def test_several_objects_are_a_list() -> None:
    document = as_list([OBJECT])
    assert (document["kind"], document["apiVersion"]) == ("List", "v1")
    assert json.loads(render_document(document, Output.JSON)) == document


def test_texts_of_several_lines_are_blocks_in_yaml() -> None:
    rendered = render_document(shown(OBJECT), Output.YAML)
    assert "  prompt: |\n    one\n    two\n" in rendered
    assert yaml.safe_load(rendered) == shown(OBJECT)


def test_names_carry_kind_and_group() -> None:
    assert render_names(RESOURCES[0], [OBJECT]) == "agent.heliostat.dev/sales"
