"""Write every generated file: `make generate`. What is generated is listed here and nowhere else.

`--verify` does the same, then fails when git sees a difference: a changed file, a file that no
commit holds, or a leftover in a folder that is generated as a whole.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from heliostat_api.app.settings import ApiSettings
from heliostat_api.documents.firestore import indexes
from heliostat_gateway.egress.settings import EgressSettings
from heliostat_gateway.settings import Settings as GatewaySettings
from heliostat_operator.settings import OperatorSettings
from tools import (
    agent_rules,
    api_openapi,
    boards,
    chart_copies,
    command_reference,
    conditions_page,
    crd_manifests,
    dialects_page,
    exit_codes,
    gateway_openapi,
    kind_rights,
    layers_page,
    make_targets,
    policy_page,
    providers_page,
    resources_page,
    routes_schema,
    settings_page,
    usage_fields_page,
    values_page,
)
from tools.sections import replace_section

ROOT = Path(__file__).resolve().parent.parent

Folders: TypeAlias = Sequence[tuple[str, Callable[[], Mapping[str, str]]]]
Files: TypeAlias = Sequence[tuple[str, Callable[[], str]]]
Sections: TypeAlias = Sequence[tuple[str, str, Callable[[], str]]]

# A whole folder: file name -> text. Files of the folder that are not named are leftovers, and go.
FOLDERS: Folders = [
    ("manifests/crds", crd_manifests.build_files),
    ("charts/heliostat/files/crds", crd_manifests.build_chart_files),
    ("charts/heliostat/files/monitoring/dashboards", boards.build_files),
]
# A whole file.
FILES: Files = [
    ("api/dashboard/src/api/agent.rules.json", agent_rules.build_rules),
    ("api/firestore/firestore.indexes.json", indexes.render_indexes),
    ("api/openapi.json", api_openapi.build_document),
    ("charts/heliostat/files/redis.conf", chart_copies.build_redis_settings),
    ("charts/heliostat/templates/api/policies.yaml", chart_copies.build_api_policies),
    ("charts/heliostat/templates/api/rbac.yaml", chart_copies.build_api_rights),
    ("charts/heliostat/templates/approvals/approver.yaml", chart_copies.build_approver_role),
    ("charts/heliostat/templates/approvals/policy.yaml", chart_copies.build_approval_policies),
    ("charts/heliostat/templates/operator/rbac.yaml", chart_copies.build_operator_rights),
    ("manifests/api/rbac.yaml", kind_rights.build_api_roles),
    ("manifests/operator/rbac.yaml", kind_rights.build_operator_roles),
    ("docs/gateway.openapi.json", gateway_openapi.build_document),
    ("docs/routes.schema.json", routes_schema.build_schema),
]
# A part of a page that people write: the text between `<!-- generated:NAME -->` and the end mark.
SECTIONS: Sections = [
    ("CONTRIBUTING.md", "make", make_targets.table),
    ("docs/architecture.md", "layers", layers_page.build_table),
    ("docs/cli.md", "commands", command_reference.build_reference),
    ("docs/settings.md", "operator", lambda: settings_page.build_table(OperatorSettings)),
    ("docs/settings.md", "gateway", lambda: settings_page.build_table(GatewaySettings)),
    ("docs/settings.md", "egress", lambda: settings_page.build_table(EgressSettings)),
    ("docs/settings.md", "api", lambda: settings_page.build_table(ApiSettings)),
    ("docs/gateway.md", "providers", providers_page.build_table),
    ("docs/finops.md", "usage-fields", usage_fields_page.build_usage_fields),
    ("docs/helm.md", "values", values_page.build_table),
    ("docs/exit-codes.md", "exit-codes", exit_codes.build_table),
    *(("docs/conditions.md", name, body) for name, body in conditions_page.SECTIONS.items()),
    *(("docs/dialects.md", name, body) for name, body in dialects_page.SECTIONS.items()),
    *(("docs/policy.md", name, body) for name, body in policy_page.SECTIONS.items()),
    *(("docs/resources.md", name, body) for name, body in resources_page.SECTIONS.items()),
]


@dataclass(frozen=True)
class Plan:
    """What is generated below `root`."""

    root: Path
    folders: Folders
    sections: Sections
    files: Files = ()


def render(plan: Plan) -> dict[Path, str]:
    """The text of every generated file, by its path."""
    texts: dict[Path, str] = {}
    for folder, files in plan.folders:
        texts |= {plan.root / folder / name: text for name, text in files().items()}
    texts |= {plan.root / name: text() for name, text in plan.files}
    for name, section, body in plan.sections:
        page = plan.root / name
        texts[page] = replace_section(texts.get(page) or page.read_text(), section, body())
    return texts


def find_leftovers(plan: Plan, texts: Mapping[Path, str]) -> list[Path]:
    """Files in generated folders that nothing generates any more."""
    present = (path for folder, _ in plan.folders for path in (plan.root / folder).glob("*"))
    return [path for path in present if path not in texts]


def write(plan: Plan) -> list[Path]:
    """Bring the files up to date; returns those that changed."""
    texts = render(plan)
    changed = [
        path for path, text in texts.items() if not path.exists() or path.read_text() != text
    ]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path])
    leftovers = find_leftovers(plan, texts)
    for path in leftovers:
        path.unlink()
    return changed + leftovers


def find_uncommitted(plan: Plan) -> list[str]:
    """git's words for generated files that differ from the index or that it does not know."""
    names = [folder for folder, _ in plan.folders] + [page for page, _, _ in plan.sections]
    names += [name for name, _ in plan.files]
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--", *names]
    status = subprocess.run(command, cwd=plan.root, capture_output=True, text=True, check=True)
    return [line for line in status.stdout.splitlines() if line[1] != " "]


PLAN = Plan(ROOT, FOLDERS, SECTIONS, FILES)


def main(arguments: list[str]) -> int:
    for path in write(PLAN):
        print(f"generated {path.relative_to(ROOT)}")
    if "--verify" not in arguments:
        return 0
    differences = find_uncommitted(PLAN)
    for line in differences:
        print(line)
    if differences:
        print("generated files differ from what git holds: `git add` what `make generate` wrote")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
