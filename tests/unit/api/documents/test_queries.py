"""What a query asks for: an owner is never widened by what else it says."""

import pytest

from heliostat_api.documents.port import OWNER, Query
from heliostat_api.documents.queries import filters_of


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        (Query("agents", None), {}),
        (Query("agents", "ann"), {OWNER: "ann"}),
        (Query("agents", None, where={"shown": True}), {"shown": True}),
        (Query("agents", "ann", where={"shown": True}), {"shown": True, OWNER: "ann"}),
        (Query("agents", "ann", where={OWNER: "bob"}), {OWNER: "ann"}),
        (Query("agents", "", where={OWNER: "bob"}), {OWNER: ""}),  # an owner, though an empty one
    ],
)
def test_the_owner_of_a_query_counts_whatever_its_filters_say(
    query: Query, filters: dict[str, str | bool]
) -> None:
    assert filters_of(query) == filters
