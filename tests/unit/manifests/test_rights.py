"""The rights of the manifests' roles, one a line: a golden file shows each that changes."""

from pathlib import Path

import yaml

from support.manifests import INSTALLATION
from tools import kind_rights

GOLDEN = Path(__file__).with_name("golden") / "rights.txt"


def flat_rights(path: Path) -> set[str]:
    """`ROLE NAME NAMESPACE GROUP RESOURCE OBJECT VERB`."""
    found: set[str] = set()
    for role in yaml.safe_load_all(path.read_text()):
        if role["kind"] not in ("Role", "ClusterRole"):
            continue
        meta = role["metadata"]
        for rule in role["rules"]:
            found |= {
                f"{role['kind']} {meta['name']} {meta.get('namespace', '-')} {group or 'core'} "
                f"{resource} {name} {verb}"
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for name in rule.get("resourceNames", ["*"])
                for verb in rule["verbs"]
            }
    return found


def test_roles_hold_the_same_rights_as_ever() -> None:
    paths = (INSTALLATION / name for name in (kind_rights.OPERATOR_FILE, kind_rights.API_FILE))
    assert sorted(set().union(*map(flat_rights, paths))) == GOLDEN.read_text().splitlines()
