"""docs/gke.md: every value, setting and file that it names exists, and its costs add up."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from heliostat_core.agents import AgentSpec
from heliostat_core.conditions import BlockedReason, ReadyReason
from heliostat_google.problems import SecretReason
from support.terraform import EXAMPLE, local_values, named, read_files
from tools.images import IMAGES

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "heliostat"
PAGES = [ROOT / "docs" / "gke.md", ROOT / "docs" / "secret-manager.md"]
PAGE = PAGES[0].read_text()
MODULE = EXAMPLE.parent
HOURS = Decimal(730)
SECTIONS = "api|cloudScheduler|gateway|gke|image|ingress|operator|secretManager"
_FREE = ("Annotations", "annotations", "providerKeys")


def block(mark: str) -> dict[str, JsonValue]:
    """The page's YAML block that opens with this mark."""
    found = re.search(rf"```yaml {mark}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    loaded: dict[str, JsonValue] = yaml.safe_load(found[1])
    return loaded


def leaves(value: JsonValue, path: str = "") -> Iterator[str]:
    """Paths of everything below, without what stands in free maps."""
    if isinstance(value, Mapping) and not path.endswith(_FREE):
        for name, each in value.items():
            yield from leaves(each, f"{path}.{name}" if path else name)
    else:
        yield path


def chart_values() -> set[str]:
    schema = json.loads((CHART / "values.schema.json").read_text())

    def walk(node: JsonValue, path: str) -> Iterator[str]:
        assert isinstance(node, Mapping)
        properties = node.get("properties")
        for name, each in properties.items() if isinstance(properties, Mapping) else ():
            below = f"{path}.{name}" if path else name
            yield below
            yield from walk(each, below)

    return set(walk(schema, ""))


def test_the_values_are_what_terraform_hands_over() -> None:
    handed = local_values(read_files(MODULE))["values"]
    assert set(leaves(block("values"))) == set(leaves(handed))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_values_of_the_chart_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    mentioned = set(re.findall(rf"`((?:{SECTIONS})\.[\w.]+\w)", text))
    mentioned |= set(re.findall(rf"--set-string ((?:{SECTIONS})[\w.]+)\.HELIOSTAT", text))
    assert mentioned
    assert mentioned <= chart_values()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_settings_that_a_page_names_exist(page: Path) -> None:
    settings = (ROOT / "docs" / "settings.md").read_text()
    mentioned = set(re.findall(r"HELIOSTAT_[A-Z_]+[A-Z]", page.read_text()))
    assert mentioned
    assert [each for each in mentioned if f"`{each}`" not in settings] == []


def test_files_folders_images_and_names_exist() -> None:
    for path in set(re.findall(r"(?<![\w/-])(?:api|charts|deploy)/[\w./-]+\w", PAGE)):
        assert (ROOT / path).exists(), path
    (pushed,) = re.findall(r"for image in ([a-z ]+);", PAGE)
    assert {f"heliostat-{each}" for each in pushed.split()} == IMAGES.keys()
    variables = set(re.findall(r"-var '?(\w+)=", PAGE))
    assert variables <= named(read_files(EXAMPLE), "variable").keys()
    outputs = set(re.findall(r"terraform output -raw (\w+)", PAGE))
    assert outputs <= named(read_files(EXAMPLE), "output").keys()
    switches = set(re.findall(r"`(\w+_\w+)(?: = \w+)?`", PAGE))
    assert switches <= named(read_files(MODULE), "variable").keys()


def test_the_agent_is_one() -> None:
    spec = AgentSpec.model_validate(block("agent")["spec"])
    (ref,) = spec.workspace.secret_refs
    assert ref.secret_manager is not None
    assert spec.workspace.egress  # where policies are enforced, no other host is reached
    assert spec.schedule is not None
    example = named(read_files(EXAMPLE), "module")["heliostat"]["agent_secrets"]
    assert isinstance(example, Mapping)
    assert example == {ref.secret_manager.id: ["heliostat-agents"]}


def test_the_reasons_of_a_secret_are_documented_ones() -> None:
    told = set(re.findall(r"^\| `(Secret\w+)`", PAGES[1].read_text(), re.MULTILINE))
    assert told == set(SecretReason)
    assert told <= set(ReadyReason) & set(BlockedReason)


def test_the_costs_follow_from_the_charts_requests_and_add_up() -> None:
    values = yaml.safe_load((CHART / "values-gke-autopilot.yaml").read_text())
    owners = [values[name] for name in ("gateway", "operator", "redis", "api", "egress")]
    owners.append(values["gateway"]["writer"])
    asked = [each["resources"]["requests"] for each in owners]
    cpu = sum(Decimal(each["cpu"].removesuffix("m")) / 1000 for each in asked)
    memory = sum(Decimal(each["memory"].removesuffix("Mi")) / 1024 for each in asked)
    assert f"{cpu} vCPU at $0.0445, {memory} GiB at $0.0049225" in PAGE
    pods = HOURS * (cpu * Decimal("0.0445") + memory * Decimal("0.0049225"))
    row = r"^\| ([\w ]+) \| .* \| \$([\d.]+)(?:, or \$0)? \|$"
    rows = dict(re.findall(row, PAGE, re.MULTILINE))
    assert rows["pods of the chart"] == f"{pods:.2f}"
    fee = Decimal(rows.pop("cluster"))
    total = sum(map(Decimal, rows.values()))
    assert f"**${total}, ${total + fee}**" in PAGE
