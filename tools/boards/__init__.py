"""The four dashboards of the chart. Metrics: docs/metrics.md."""

from collections.abc import Mapping

from tools.boards.agent import AGENT
from tools.boards.fleet import FLEET
from tools.boards.money import MONEY
from tools.boards.operator import OPERATOR
from tools.grafana import render_board


def build_files() -> Mapping[str, str]:
    """File name -> text."""
    return {f"{each.uid}.json": render_board(each) for each in (FLEET, AGENT, MONEY, OPERATOR)}
