"""Selectors, read as the API server reads them."""

import pytest

from heliostat_cli.embedded.selectors import build_matcher
from heliostat_core.worlds import InvalidError, JsonObject, Selection

POD: JsonObject = {
    "metadata": {"namespace": "a", "name": "p", "labels": {"x/y": "1", "z": ""}},
    "spec": {"nodeName": "n", "hostNetwork": False},
}


@pytest.mark.parametrize(
    ("term", "is_selected"),
    [
        ("x/y=1", True),
        ("x/y==1", True),
        ("x/y=2", False),
        ("x/y!=2", True),
        ("missing!=2", True),
        ("x/y", True),
        ("!x/y", False),
        ("!missing", True),
        ("x/y in (1, 2)", True),
        ("x/y notin (1,2)", False),
        ("z=", True),
        ("x/y=1,z", True),
        ("x/y=1,missing", False),
    ],
)
def test_label_terms_select(term: str, is_selected: bool) -> None:
    assert build_matcher(Selection(label_terms=(term,)))(POD) is is_selected


@pytest.mark.parametrize(
    ("fields", "is_selected"),
    [
        ({"metadata.name": "p"}, True),
        ({"spec.nodeName": "m"}, False),
        ({"spec.hostNetwork": "false"}, True),
        ({"status.phase": ""}, True),
    ],
)
def test_fields_select_by_their_text(fields: dict[str, str], is_selected: bool) -> None:
    assert build_matcher(Selection(fields=fields))(POD) is is_selected


def test_the_namespace_selects() -> None:
    assert build_matcher(Selection(namespace="a"))(POD)
    assert not build_matcher(Selection(namespace="b"))(POD)


def test_what_can_not_be_read_is_refused() -> None:
    with pytest.raises(InvalidError, match="unable to parse requirement"):
        build_matcher(Selection(label_terms=("x ~ y",)))
