"""The indexes that Firestore needs, as the file that `firebase deploy` and people read.

A field alone has an index by itself; a filter together with an order needs one that is declared.
"""

import json
from collections.abc import Iterable

from heliostat_api.documents.queries import SHAPES, Shape

UNINDEXED = {
    "agents": ("finalAgentPrompt", "description"),
    "actions": ("text",),
    "approvals": ("view",),
    "chunks": ("text",),
    "executions": ("result", "spec", "view"),
    "messages": ("content", "parts"),
    "pieces": ("content",),
}
"""Long fields that no query names: an index of them would only cost."""


def render_indexes(shapes: Iterable[Shape] = SHAPES) -> str:
    """The whole file."""
    composite = [_composite(shape) for shape in sorted(shapes) if shape.filters]
    overrides = [
        {"collectionGroup": kind, "fieldPath": field, "indexes": []}
        for kind, fields in sorted(UNINDEXED.items())
        for field in sorted(fields)
    ]
    return json.dumps({"indexes": composite, "fieldOverrides": overrides}, indent=2) + "\n"


def _composite(shape: Shape) -> dict[str, object]:
    filters = [{"fieldPath": name, "order": "ASCENDING"} for name in shape.filters]
    order = {
        "fieldPath": shape.order,
        "order": "DESCENDING" if shape.descending else "ASCENDING",
    }
    return {
        "collectionGroup": shape.kind,
        "queryScope": "COLLECTION",
        "fields": [*filters, order],
    }
