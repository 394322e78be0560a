"""Every expression that the chart ships: of alerts and of panels; and what it asks of metrics."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as promql
import yaml
from pydantic import BaseModel, ConfigDict, Field

from tools.machine import ROOT

MONITORING = ROOT / "charts" / "heliostat" / "files" / "monitoring"
_SUFFIX = re.compile(r"_(bucket|count|sum)$")


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Alert(_Lenient):
    """A rule that may fire."""

    name: str = Field(alias="alert")
    expression: str = Field(alias="expr")
    labels: dict[str, str]
    annotations: dict[str, str]


class _Group(_Lenient):
    rules: tuple[Alert, ...]


class _Rules(_Lenient):
    groups: tuple[_Group, ...]


class _Target(_Lenient):
    expression: str = Field(alias="expr")


class _Panel(_Lenient):
    title: str
    targets: tuple[_Target, ...]


class _Choice(_Lenient):
    name: str
    definition: str = ""


class _Choices(_Lenient):
    choices: tuple[_Choice, ...] = Field(alias="list")


class Dashboard(_Lenient):
    """A dashboard, as far as it asks for metrics."""

    uid: str
    title: str
    panels: tuple[_Panel, ...]
    templating: _Choices


@dataclass(frozen=True)
class Use:
    """What one expression asks of a metric."""

    metric: str
    labels: frozenset[str]


def read_alerts() -> tuple[Alert, ...]:
    """In the order of the file."""
    text = (MONITORING / "alerts.yaml").read_text()
    return tuple(
        rule for group in _Rules.model_validate(yaml.safe_load(text)).groups for rule in group.rules
    )


def read_dashboards() -> tuple[Dashboard, ...]:
    """All of the chart."""
    files = sorted((MONITORING / "dashboards").glob("*.json"))
    return tuple(Dashboard.model_validate(json.loads(each.read_text())) for each in files)


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and the expression as Prometheus gets it."""
    for alert in read_alerts():
        yield alert.name, alert.expression
    for board in read_dashboards():
        for panel in board.panels:
            for target in panel.targets:
                yield f"{board.uid}: {panel.title}", filled(target.expression)
        for choice in board.templating.choices:
            if found := re.fullmatch(r"label_values\((.+), (\w+)\)", choice.definition):
                yield f"{board.uid}: {choice.name}", f"sum by ({found[2]}) ({filled(found[1])})"


def filled(expression: str) -> str:
    """As Grafana sends it, with the variables of a page replaced."""
    return re.sub(r"\$(?!__)\w+", "x", expression.replace("$__rate_interval", "5m"))


def uses(expression: str) -> list[Use]:
    """Every metric with the labels that are matched or grouped by; raises ValueError."""
    found: list[tuple[str, set[str]]] = []
    groups: list[tuple[slice, set[str]]] = []

    def visit(each: promql.Expr) -> bool:
        if isinstance(each, promql.VectorSelector):
            found.append((str(each.name), {matcher.name for matcher in each.matchers.matchers}))
        elif isinstance(each, promql.AggregateExpr) and each.modifier is not None:
            inside = slice(len(found), len(found) + len(_selectors(each.expr)))
            groups.append((inside, set(each.modifier.labels)))
        return True

    promql.walk(promql.parse(expression), visit)
    for inside, labels in groups:
        for _, matched in found[inside]:
            matched |= labels
    return [Use(name, frozenset(labels)) for name, labels in found]


def choices(expression: str) -> Iterator[tuple[str, str, str]]:
    """Metric, label and value of each matcher that names values."""
    for selector in _selectors(promql.parse(expression)):
        for matcher in selector.matchers.matchers:
            for value in matcher.value.split("|"):
                yield str(selector.name), matcher.name, value


def thresholds(expression: str) -> list[tuple[str, float]]:
    """Of each quantile that is compared with a number: the histogram's series, and the number."""
    found: list[tuple[str, float]] = []

    def visit(each: promql.Expr) -> bool:
        if isinstance(each, promql.BinaryExpr) and isinstance(each.rhs, promql.NumberLiteral):
            for selector in _selectors(each.lhs):
                if str(selector.name).endswith("_bucket"):
                    found.append((str(selector.name), each.rhs.val))
        return True

    promql.walk(promql.parse(expression), visit)
    return found


def _selectors(expression: promql.Expr) -> list[promql.VectorSelector]:
    found: list[promql.VectorSelector] = []

    def visit(each: promql.Expr) -> bool:
        if isinstance(each, promql.VectorSelector):
            found.append(each)
        return True

    promql.walk(expression, visit)
    return found


def family_of(metric: str, known: set[str]) -> str:
    """The documented name: of a series of a histogram, the histogram."""
    return metric if metric in known else _SUFFIX.sub("", metric)
