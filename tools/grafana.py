"""Dashboards of Grafana, as far as ours need them: rows of panels with their queries."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import JsonValue

Unit = Literal["short", "s", "percentunit", "currencyUSD", "ops", "reqps", "cps", "Bps"]

_WIDTH: Final = 24
_HEIGHT: Final = 8
_STAT_HEIGHT: Final = 4
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_SOURCE_VARIABLE: Final[Mapping[str, JsonValue]] = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
}


@dataclass(frozen=True)
class Query:
    """An expression of PromQL, and how its series are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """A graph over time, or one number."""

    title: str
    said: str
    queries: Sequence[Query]
    unit: Unit = "short"
    kind: Literal["timeseries", "stat"] = "timeseries"
    stacked: bool = False


@dataclass(frozen=True)
class Variable:
    """A choice at the head of the page, of the values that a label has."""

    name: str
    metric: str
    label: str
    within: str = ""

    def to_json(self) -> Mapping[str, JsonValue]:
        """As Grafana keeps it."""
        query = f"label_values({self.metric}{self.within}, {self.label})"
        return {
            "name": self.name,
            "label": self.name.capitalize(),
            "type": "query",
            "datasource": dict(_SOURCE),
            "definition": query,
            "query": {"query": query, "refId": self.name},
            "refresh": 2,
            "sort": 1,
        }


@dataclass(frozen=True)
class Board:
    """A dashboard; `rows` from top to bottom, each row's panels share its width."""

    uid: str
    title: str
    said: str
    rows: Sequence[Sequence[Panel]]
    variables: Sequence[Variable] = ()


def render_board(board: Board) -> str:
    """The file that Grafana reads."""
    document: dict[str, JsonValue] = {
        "uid": board.uid,
        "title": board.title,
        "description": board.said,
        "tags": ["heliostat"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [dict(_SOURCE_VARIABLE), *(dict(each.to_json()) for each in board.variables)]
        },
        "panels": list(_placed(board.rows)),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _placed(rows: Sequence[Sequence[Panel]]) -> Iterator[JsonValue]:
    number, top = 0, 0
    for row in rows:
        width = _WIDTH // len(row)
        height = _STAT_HEIGHT if all(each.kind == "stat" for each in row) else _HEIGHT
        for index, panel in enumerate(row):
            number += 1
            yield {
                "id": number,
                "gridPos": {"x": index * width, "y": top, "w": width, "h": height},
                **_panel(panel),
            }
        top += height


def _panel(panel: Panel) -> Mapping[str, JsonValue]:
    graph: dict[str, JsonValue] = {}
    if panel.kind == "timeseries":
        stacking: JsonValue = {"mode": "normal" if panel.stacked else "none"}
        graph = {"custom": {"fillOpacity": 10 if panel.stacked else 0, "stacking": stacking}}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.said,
        "datasource": dict(_SOURCE),
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, **graph}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": dict(_SOURCE),
                "expr": query.expression,
                "legendFormat": query.legend or panel.title,
            }
            for index, query in enumerate(panel.queries)
        ],
    }
