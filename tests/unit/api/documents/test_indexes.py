"""api/firestore: the indexes that the product's queries need, no more and no fewer."""

import json
from typing import TypeAlias

from google.cloud.firestore_v1 import types

from heliostat_api.documents.firestore.indexes import UNINDEXED
from heliostat_api.documents.firestore.requests import Database, build_query
from heliostat_api.documents.port import OWNER, Query
from heliostat_api.documents.queries import SHAPES, Shape
from tools.machine import ROOT

Index: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]

FOLDER = ROOT / "api" / "firestore"
FILE = json.loads((FOLDER / "firestore.indexes.json").read_text())


def needed_by(query: types.StructuredQuery) -> Index | None:
    """By Firestore's rules: equalities first, then the order, which ends with the id in the last
    direction. A single order alone, or equalities alone, need none."""
    equal = [each.field_filter.field.field_path for each in query.where.composite_filter.filters]
    orders = [
        (each.field.field_path, each.direction.name)
        for each in query.order_by
        if each.field.field_path != "__name__"
    ]
    if not equal or not orders:
        return None
    scope = "COLLECTION_GROUP" if query.from_[0].all_descendants else "COLLECTION"
    fields = [(name, "ASCENDING") for name in sorted(equal)] + orders
    return query.from_[0].collection_id, scope, tuple(fields)


def request_of(shape: Shape) -> types.StructuredQuery:
    """What Firestore is really asked."""
    query = Query(
        f"parents/x/{shape.kind}",
        "ada" if OWNER in shape.filters else None,
        {name: "x" for name in shape.filters if name != OWNER},
        shape.order,
        shape.descending,
    )
    return build_query(Database("p"), query).structured_query


def declared() -> list[Index]:
    return [
        (
            each["collectionGroup"],
            each["queryScope"],
            tuple((field["fieldPath"], field["order"]) for field in each["fields"]),
        )
        for each in FILE["indexes"]
    ]


def test_every_query_has_its_index_and_every_index_a_query() -> None:
    needed = {index for shape in SHAPES if (index := needed_by(request_of(shape)))}
    assert len(needed) > 10
    assert sorted(declared()) == sorted(needed)


def test_ids_are_ordered_in_the_direction_of_the_field_before() -> None:
    # Another direction would need an index that names them.
    for shape in SHAPES:
        *_, last, id_ = request_of(shape).order_by
        assert (id_.field.field_path, id_.direction) == ("__name__", last.direction)


def test_no_query_asks_for_a_field_that_has_no_index() -> None:
    asked = {(shape.kind, name) for shape in SHAPES for name in (*shape.filters, shape.order)}
    unindexed = {(kind, name) for kind, names in UNINDEXED.items() for name in names}
    assert asked & unindexed == set()
    overrides = {(each["collectionGroup"], each["fieldPath"]) for each in FILE["fieldOverrides"]}
    assert overrides == unindexed


def test_firebase_json_names_both_files() -> None:
    for name in json.loads((FOLDER / "firebase.json").read_text())["firestore"].values():
        assert (FOLDER / name).is_file()
