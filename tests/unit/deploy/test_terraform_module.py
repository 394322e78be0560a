"""What the Terraform module makes, held against code, chart and docs."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from heliostat_api.app.settings import ApiSettings
from heliostat_core.secret_labels import AGENTS_USE, GATEWAY_USE, NAMESPACES_LABEL, USE_LABEL
from heliostat_gateway.providers.credentials import pick
from heliostat_gateway.settings import KEY_FIELDS
from support.terraform import (
    EXAMPLE,
    MODULE,
    Block,
    blocks,
    inner,
    local_values,
    named,
    read_files,
    resources,
)

ROOT = MODULE.parents[1]
FILES = read_files(MODULE)
RESOURCES = resources(FILES)
PAGE = (ROOT / "docs" / "gke.md").read_text()


def of_type(kind: str) -> dict[str, Block]:
    return {name: block for (found, name), block in RESOURCES.items() if found == kind}


def strings(value: JsonValue) -> Iterator[str]:
    """Every text in a value, keys left out."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("folder", [MODULE, EXAMPLE], ids=["module", "example"])
def test_variables_and_outputs_are_described(folder: Path) -> None:
    files = read_files(folder)
    for kind in ("variable", "output"):
        told = named(files, kind)
        assert told
        assert [name for name, block in told.items() if not block.get("description")] == []


def test_the_example_pins_the_provider_within_what_the_module_takes() -> None:
    exact, taken = provider_version(read_files(EXAMPLE)), provider_version(FILES)
    assert re.fullmatch(r"\d+\.\d+\.\d+", exact)
    assert taken == f"~> {exact.rpartition('.')[0]}"


def provider_version(files: Mapping[str, Block]) -> str:
    (settings,) = blocks(files, "terraform")
    providers = settings["required_providers"]
    assert isinstance(providers, list)
    return str(inner(inner(providers[0])["google"])["version"])


def test_the_example_sets_what_the_module_wants_and_hands_on_all_of_its_outputs() -> None:
    files = read_files(EXAMPLE)
    module = named(files, "module")["heliostat"]
    assert (EXAMPLE / str(module["source"])).resolve() == MODULE
    variables = named(FILES, "variable")
    needed = {name for name, block in variables.items() if "default" not in block}
    given = module.keys() - {"source"}
    assert needed <= given <= variables.keys()
    assert named(files, "output").keys() == named(FILES, "output").keys()


def test_each_identity_has_the_roles_that_the_page_lists_and_no_others() -> None:
    roles = {text for text in strings(list(map(dict, RESOURCES.values()))) if "roles/" in text}
    reading = str(local_values(FILES)["reading"])
    used = {each for text in [*roles, reading] for each in re.findall(r"roles/[\w.]+", text)}
    listed = set(re.findall(r"roles/[\w.]+", PAGE))
    people = {"roles/iap.httpsResourceAccessor"}
    binding = {"roles/iam.workloadIdentityUser"}
    assert used - binding == listed | people
    primitive = re.compile(r"roles/(owner|editor|viewer|browser)$|\.admin$|Admin$")
    assert [each for each in used if primitive.search(each)] == []


def test_secrets_are_granted_one_by_one_each_kind_to_its_own_reader() -> None:
    project_wide = [block["role"] for block in of_type("google_project_iam_member").values()]
    assert not [each for each in project_wide if "secretmanager" in str(each)]
    granted = of_type("google_secret_manager_secret_iam_member")
    readers = {
        name: (str(block["secret_id"]), str(block["member"])) for name, block in granted.items()
    }
    assert {name: "provider[" in secret for name, (secret, _) in readers.items()} == {
        "gateway": True,
        "operator": False,
    }
    for name, (_, member) in readers.items():
        assert f'component["{name}"]' in member


def test_secrets_bear_the_labels_that_the_code_reads() -> None:
    secrets = of_type("google_secret_manager_secret")
    assert inner(secrets["provider"]["labels"]) == {USE_LABEL: GATEWAY_USE}
    labels = inner(secrets["agents"]["labels"])
    assert labels.keys() == {USE_LABEL, NAMESPACES_LABEL}
    assert labels[USE_LABEL] == AGENTS_USE
    assert labels[NAMESPACES_LABEL] == '${join("_", each.value)}'


def test_no_value_of_a_secret_is_in_terraforms_state() -> None:
    assert of_type("google_secret_manager_secret_version") == {}


def test_the_indexes_are_those_of_the_api() -> None:
    source = ROOT / "api" / "firestore" / "firestore.indexes.json"
    values = local_values(FILES)
    read = re.search(r'file\("\$\{path\.module\}/([^"]+)"\)', str(values["firestore"]))
    assert read is not None
    assert (MODULE / read[1]).resolve() == source
    # Every property of the file is one that the module passes on.
    declared = json.loads(source.read_text())
    taken = set(re.findall(r"\.value\.(\w+)", source_of("firestore.tf")))
    of_indexes = {key for each in declared["indexes"] for key in each}
    of_fields = {key for each in declared["indexes"] for field in each["fields"] for key in field}
    assert of_indexes | of_fields == taken
    assert {key for each in declared["fieldOverrides"] for key in each} == {
        *("collectionGroup", "fieldPath", "indexes")
    }
    assert [each for each in declared["fieldOverrides"] if each["indexes"]] == []
    # Nothing but fields, their order and the collection tells two of them apart.
    assert {each["queryScope"] for each in declared["indexes"]} == {"COLLECTION"}


def source_of(name: str) -> str:
    return (MODULE / name).read_text()


def test_identities_are_bound_to_the_charts_own_accounts() -> None:
    values = local_values(FILES)
    components = set(re.findall(r'"(\w+)"', str(values["components"])))
    binding = str(RESOURCES["google_service_account_iam_member", "component"]["member"])
    assert binding.endswith("[${var.namespace}/heliostat-${each.key}]")
    templates = ROOT / "charts" / "heliostat" / "templates"
    annotated = {
        name
        for path in templates.rglob("*.yaml")
        if ".serviceAccountAnnotations" in (text := path.read_text())
        for name in re.findall(r"kind: ServiceAccount\nmetadata:\n  name: heliostat-(\w+)", text)
    }
    assert components == annotated


def test_the_values_for_the_chart_are_the_charts() -> None:
    schema = json.loads((ROOT / "charts" / "heliostat" / "values.schema.json").read_text())
    values = inner(local_values(FILES)["values"])
    assert list(unknown(schema, dict(values))) == []
    env = inner(inner(values["api"])["env"])
    known = {f"HELIOSTAT_API_{name.upper()}" for name in ApiSettings.model_fields}
    assert env.keys() <= known
    for name in ("api", "gateway", "operator"):
        annotations = inner(values[name])["serviceAccountAnnotations"]
        assert f'component["{name}"]' in str(annotations)


def unknown(schema: JsonValue, values: JsonValue, path: str = "") -> Iterator[str]:
    """Values that the schema does not have."""
    properties = inner(schema).get("properties")
    if not isinstance(properties, Mapping) or not isinstance(values, Mapping):
        return
    for name, value in values.items():
        below = f"{path}.{name}" if path else name
        if name not in properties:
            yield below
        else:
            yield from unknown(properties[name], value, below)


def test_keys_of_providers_are_the_gateways_variables() -> None:
    default = inner(named(FILES, "variable")["provider_keys"]["default"])
    assert set(default) <= set(KEY_FIELDS.values())


@pytest.mark.parametrize("end", ["", "_1", "_2", "_9", "_01", "_10", "_9999", "_10000", "_X"])
def test_numbered_keys_are_those_that_the_gateway_picks(end: str) -> None:
    name = f"ANTHROPIC_API_KEY{end}"
    is_picked = bool(pick("ANTHROPIC_API_KEY", {name: SecretStr("key")}))
    for file in (MODULE / "variables.tf", ROOT / "charts" / "heliostat" / "values.schema.json"):
        [pattern] = re.findall(r'"(\^[^"]+_API_KEY[^"]*\$)"', file.read_text())
        assert bool(re.search(pattern, name)) == is_picked, file


def test_every_api_that_a_resource_needs_is_switched_on() -> None:
    needed = str(RESOURCES["google_project_service", "needed"]["for_each"])
    services = {
        "google_artifact_registry": "artifactregistry",
        "google_compute": "compute",
        "google_container": "container",
        "google_firestore": "firestore",
        "google_iap": "iap",
        "google_secret_manager": "secretmanager",
        "google_service_account": "iam",
    }
    kinds = {kind for kind, _ in RESOURCES}
    used = {services[head] for head in services if any(each.startswith(head) for each in kinds)}
    assert used == set(services.values())
    assert [each for each in used if f'"{each}.googleapis.com"' not in needed] == []
    assert '"cloudscheduler.googleapis.com"' in needed
