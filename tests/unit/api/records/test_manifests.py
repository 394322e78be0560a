"""An agent as a manifest, and a manifest as an agent."""

import pytest

from heliostat_api.records.contents import Content
from heliostat_api.records.loading import ImportRefusedError
from heliostat_api.records.manifests import export_yaml, import_yaml

AGENT = "apiVersion: heliostat.dev/v1alpha1\nkind: Agent\n"
SALES = f"{AGENT}metadata: {{name: sales}}\nspec: {{prompt: Count., description: Daily.}}\n"


def test_what_was_exported_is_imported_as_it_was_under_any_name() -> None:
    content = Content(name="sales", description="Daily.", spec={"prompt": "Count."})
    assert import_yaml(SALES) == content
    exported = export_yaml("sales", {"description": "Daily.", **content.spec})
    assert import_yaml(exported) == content
    assert import_yaml(exported, "Umsatz").name == "Umsatz"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind: Execution\n", "it declares 0 Agents: must be one"),
        (f"{SALES}---\n{SALES}", "it declares 2 Agents: must be one"),
        (SALES.replace("v1alpha1", "v9"), "apiVersion must be heliostat.dev/v1alpha1"),
        (f"{AGENT}spec: {{prompt: x}}\n", "it must have metadata and spec"),
        (f"{AGENT}metadata: {{name: x}}\nspec: [x]\n", "it must have metadata and spec"),
        (f"{AGENT}metadata: {{name: 7}}\nspec: {{prompt: x}}\n", "name: "),
    ],
)
def test_what_is_not_one_agent_is_refused_with_what_it_must_be(text: str, why: str) -> None:
    with pytest.raises(ImportRefusedError, match=why):
        import_yaml(text)
