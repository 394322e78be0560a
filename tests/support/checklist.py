"""What a kind of resource or a collection of documents must have, and what each of ours has.

The list stands in docs/architecture.md for people. A kind and the collection of its records have
one name, the plural. What lies below a document (`executions/{uid}/chunks`) goes where it goes.
"""

import ast
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import yaml

from heliostat_api.documents.queries import SHAPES
from tools.machine import ROOT

API = ROOT / "api" / "heliostat_api"
OPERATOR = ROOT / "operator" / "heliostat_operator"


SPELLED_OTHERWISE = frozenset({"adoptions"})
NO_DOCUMENTS = frozenset({"told"})
"""What is spelled like a path and is the place of a sealed secret."""


class Item(StrEnum):
    """What is asked of each; `READ` from files and tables, `PLAYED` at an api that runs."""

    ACCESS = "access matrix"
    ERASING = "erasing"
    ARCHIVE = "archive"
    MOVING = "guest to user"
    REPORTS = "snapshot and reports"
    CORRELATION = "correlation id"
    BACKUP = "backup"
    UNINSTALL = "uninstall"
    UPGRADE = "upgrade from the release before"
    READ_ONLY = "read-only under GitOps"
    LANGUAGES = "both languages"
    METRICS = "metrics"
    RETENTION = "retention"


PLAYED = frozenset({Item.ERASING, Item.ARCHIVE, Item.MOVING, Item.BACKUP})
READ = frozenset(Item) - PLAYED
OF_KINDS = frozenset({Item.UNINSTALL, Item.READ_ONLY})
"""What only a resource in a cluster has; documents stay with the store that keeps them."""


def kinds() -> frozenset[str]:
    """The plurals of our definitions."""
    files = (ROOT / "manifests" / "crds").glob("*.heliostat.dev.yaml")
    return frozenset(yaml.safe_load(each.read_text())["spec"]["names"]["plural"] for each in files)


@cache
def paths() -> frozenset[str]:
    """The paths of documents and collections that the api's source spells, ids as `{}`."""
    files = [each for each in API.rglob("*.py") if "firestore" not in each.parts]
    return frozenset(path for file in files for path in _paths_in(ast.parse(file.read_text())))


def _paths_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (each.value if isinstance(each, ast.Constant) else "{}" for each in node.values)
            text = "".join(map(str, parts))
            if re.fullmatch(r"[a-z]+(/\{\}/[a-z]+)*(/\{\}|/[a-z]+)?", text) and "{}" in text:
                yield text
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [each.id for each in targets if isinstance(each, ast.Name)]
            value = node.value
            if isinstance(value, ast.Constant) and any("COLLECTION" in each for each in names):
                yield str(value.value)


def below() -> Mapping[str, str]:
    """The collections that lie below a document, and the collection of that document."""
    found: dict[str, str] = {}
    for path in paths():
        segments = path.split("/")
        found |= {name: segments[0] for name in segments[2::2] if name != "{}"}
    return found


def collections() -> frozenset[str]:
    """Every collection that is not below a document: spelled in the source, or asked by a query."""
    named = {path.partition("/")[0] for path in paths()} | {each.kind for each in SHAPES}
    return frozenset((named | SPELLED_OTHERWISE) - below().keys() - NO_DOCUMENTS)


def subjects() -> list[str]:
    return sorted(kinds() | collections())


@dataclass(frozen=True)
class Sources:
    """The names that occur where an item is taken care of, by item."""

    names: Mapping[Item, frozenset[str]]

    def covers(self, subject: str, item: Item) -> bool:
        """Whether the subject, or what it is called there, occurs."""
        return bool(names_of(subject, item) & self.names[item])

    def without(self, subject: str, item: Item) -> "Sources":
        """The same, had somebody forgotten it."""
        return Sources({**self.names, item: self.names[item] - names_of(subject, item)})


CALLED: Mapping[tuple[str, Item], frozenset[str]] = {
    ("triggers", Item.ACCESS): frozenset({"trigger-keys"}),
    ("people", Item.ACCESS): frozenset({"me"}),
    ("people", Item.LANGUAGES): frozenset({"mine"}),
    ("conversations", Item.LANGUAGES): frozenset({"chat"}),
    ("executions", Item.LANGUAGES): frozenset({"runs"}),
    ("triggers", Item.LANGUAGES): frozenset({"webhooks"}),
    ("deliveries", Item.LANGUAGES): frozenset({"webhooks"}),
    ("webhooks", Item.REPORTS): frozenset({"things"}),
    ("triggers", Item.REPORTS): frozenset({"things"}),
    ("deliveries", Item.REPORTS): frozenset({"things"}),
    ("secrets", Item.REPORTS): frozenset({"things"}),
    ("agents", Item.METRICS): frozenset({"schedule"}),
    ("agents", Item.CORRELATION): frozenset({"saved"}),
    ("people", Item.REPORTS): frozenset({"person"}),
}
"""Where a subject has another name."""


def names_of(subject: str, item: Item) -> frozenset[str]:
    """What the subject may be called in the sources of the item."""
    singular = f"{subject[:-3]}y" if subject.endswith("ies") else subject.removesuffix("s")
    return CALLED.get((subject, item), frozenset({subject, singular}))


BOOKKEEPING = "bookkeeping of the api: people neither see nor name it"
BEGAN = "every release that wrote it wrote it as today"
ONLY_LEADS = "starts nothing by itself: the runs and calls that it leads to have one"
SMALL = "small and of one person: nothing of it needs an alert"
ITS_PERSON = "kept until its person leaves or removes it"
SHORT = "only looked at while requests are repeated: the guest's stay with the guest"
BOOKS = ("adoptions", "idempotency", "places", "triggered")
LED = ("conversations", "deliveries", "people", "secrets", "triggers", "webhooks")


def waive(item: Item, reason: str, *names: str) -> dict[tuple[str, Item], str]:
    return {(name, item): reason for name in names}


WAIVED: Mapping[tuple[str, Item], str] = {
    **waive(Item.ACCESS, BOOKKEEPING, *BOOKS),
    **waive(Item.ERASING, "of the installation, not of a person", "adoptions"),
    **waive(Item.ARCHIVE, BOOKKEEPING, *BOOKS),
    **waive(Item.ARCHIVE, "what is known of the person stands in its README", "people"),
    **waive(Item.ARCHIVE, "nobody can read the values, and agent.yaml has the names", "secrets"),
    **waive(Item.MOVING, SHORT, *BOOKS),
    **waive(Item.MOVING, "only people who signed in have one", "webhooks"),
    **waive(Item.REPORTS, BOOKKEEPING, *BOOKS),
    **waive(Item.CORRELATION, BOOKKEEPING, *BOOKS),
    **waive(Item.CORRELATION, ONLY_LEADS, *LED),
    **waive(Item.UPGRADE, BEGAN, "approvals", "idempotency", "places", "triggered", *LED[1:]),
    **waive(Item.READ_ONLY, "its spec is not edited, wherever it was made", "executions"),
    **waive(Item.READ_ONLY, "the operator alone makes them, people add decisions", "approvals"),
    **waive(Item.LANGUAGES, BOOKKEEPING, *BOOKS),
    **waive(Item.METRICS, BOOKKEEPING, *BOOKS),
    **waive(Item.METRICS, SMALL, *LED),
    **waive(Item.RETENTION, ITS_PERSON, "agents", "conversations", *LED[3:]),
    **waive(Item.RETENTION, "who decided what is kept as long as the run's record", "approvals"),
    **waive(Item.RETENTION, "one document a person, and one a collection", "places", "adoptions"),
}
"""What a subject does not need, with the reason."""


def items_of(subject: str) -> frozenset[Item]:
    """What is asked of it."""
    everything = frozenset(Item) if subject in kinds() else frozenset(Item) - OF_KINDS
    return everything - {item for name, item in WAIVED if name == subject}


def read_sources() -> Sources:
    """As the repository is now."""
    return Sources(
        {
            Item.ACCESS: _segments_of_endpoints(),
            Item.REPORTS: frozenset(_reports()),
            Item.CORRELATION: _schemas_with("correlationId"),
            Item.UNINSTALL: _released(),
            Item.UPGRADE: frozenset(_adopted()),
            Item.READ_ONLY: _schemas_with("managedBy"),
            Item.LANGUAGES: _groups_of_words(),
            Item.METRICS: _words_of_metrics(),
            Item.RETENTION: frozenset(_kept_for_a_time()),
        }
    )


def _segments_of_endpoints() -> frozenset[str]:
    """Of the paths that have a row in the matrix of who may call them."""
    file = next((ROOT / "tests" / "integration").rglob("test_matrix.py"))
    module = ".".join(file.relative_to(ROOT / "tests").with_suffix("").parts)
    rows: Mapping[tuple[str, str], object] = importlib.import_module(module).ROWS
    return frozenset(segment for _, path in rows for segment in path.split("/"))


def _reports() -> Iterator[str]:
    """What reports tell of, and what a snapshot holds."""
    source = "\n".join(each.read_text() for each in (API / "events").glob("*.py"))
    yield from re.findall(r'^    [A-Z_]+ = "([a-z]+)\.[a-z]+"$', source, re.M)
    yield from _properties("SnapshotView")


def _schemas() -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    document = json.loads((ROOT / "api" / "openapi.json").read_text())
    found: Mapping[str, Mapping[str, Mapping[str, object]]] = document["components"]["schemas"]
    return found


def _properties(schema: str) -> frozenset[str]:
    return frozenset(_schemas()[schema]["properties"])


def _schemas_with(field: str) -> frozenset[str]:
    """`execution` for `ExecutionView`."""
    found = [name for name, each in _schemas().items() if field in each.get("properties", {})]
    return frozenset(name.removesuffix("View").lower() for name in found)


def _released() -> frozenset[str]:
    """The resources that the operator may still let go when its own rights are gone."""
    file = next(
        each for each in OPERATOR.rglob("*.py") if "def build_release_roles" in each.read_text()
    )
    module = ".".join(file.relative_to(OPERATOR.parent).with_suffix("").parts)
    roles = importlib.import_module(module).build_release_roles("uid", "heliostat-system")
    rules = [rule for role in roles for rule in role.get("rules", [])]
    return frozenset(name for rule in rules for name in rule["resources"])


def _adopted() -> Iterator[str]:
    """Collections whose older documents are brought up to date when the api starts."""
    for file in API.rglob("*.py"):
        if "adoption" in file.stem or "backfill" in file.stem:
            yield from re.findall(r'"([a-z]+)"', file.read_text())


def _groups_of_words() -> frozenset[str]:
    """First parts of the keys of texts; that each has both languages is tested beside them."""
    folders = (ROOT / "api" / "dashboard" / "src").rglob("*.ts")
    found = (
        re.findall(r'^  "([a-zA-Z]+)\.[\w.]+": \{', each.read_text(), re.M) for each in folders
    )
    return frozenset(name for names in found for name in names)


def _words_of_metrics() -> frozenset[str]:
    page = (ROOT / "docs" / "metrics.md").read_text()
    names = re.findall(r"^\| `(heliostat_\w+)[`{]", page, re.M)
    return frozenset(word for name in names for word in name.split("_"))


def _kept_for_a_time() -> Iterator[str]:
    """Collections of which the oldest are looked for, and kinds with a history that ends."""
    for shape in SHAPES:
        is_sweep = (not shape.filters and shape.order == "createdAt") or shape.order == "lastSeen"
        if is_sweep and not shape.descending:
            yield shape.kind
    agents = yaml.safe_load((ROOT / "manifests" / "crds" / "agents.heliostat.dev.yaml").read_text())
    schema = agents["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    if "history" in schema["properties"]:
        yield "executions"
