"""Names of children: computed, short enough for a label, one name for one purpose."""

import re

from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.names import attempt_name, child_name, cron_job_name, label_value

ends = st.sampled_from("az09")
# Long ones by repetition: text of that length is slow to draw, so that few would be long.
names = st.builds(
    lambda first, middle, times, last: first + (middle * times)[:200] + last,
    ends,
    st.text("az09-.", max_size=6),
    st.sampled_from([1, 1, 10, 50]),
    ends,
)
LABEL = re.compile(r"[a-z0-9]([-a-z0-9_.]*[a-z0-9])?")


@given(base=names, number=st.integers(1, 1000))
def test_a_name_is_a_label_value_and_always_the_same(base: str, number: int) -> None:
    name = attempt_name(base, number)
    assert name == attempt_name(base, number)
    assert len(name) <= 63
    assert LABEL.fullmatch(name)
    assert len(label_value(base)) <= 63
    assert LABEL.fullmatch(label_value(base))


@given(
    one=names,
    other=names,
    suffixes=st.tuples(*[st.sampled_from(["1", "11", "spec", "workspace"])] * 2),
)
def test_two_purposes_never_share_a_name(one: str, other: str, suffixes: tuple[str, str]) -> None:
    same = (one, suffixes[0]) == (other, suffixes[1])
    assert (child_name(one, suffixes[0]) == child_name(other, suffixes[1])) == same


def test_long_names_that_differ_at_their_end_stay_apart() -> None:
    one, other = "x" * 100 + "a", "x" * 100 + "b"
    assert child_name(one, "1") != child_name(other, "1")
    assert label_value(one) != label_value(other)


@given(one=names, other=names)
def test_a_cron_job_has_a_name_that_kubernetes_takes_and_of_its_own(one: str, other: str) -> None:
    name = cron_job_name(one)
    assert len(name) <= 52
    assert LABEL.fullmatch(name)
    assert (name == cron_job_name(other)) == (one == other)
