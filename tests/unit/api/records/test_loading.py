"""YAML of strangers: what it may cost to read, and what it must not be."""

import pytest

from heliostat_api.records.loading import DEEPEST, MOST_PARTS, ImportRefusedError
from heliostat_api.records.manifests import import_yaml

AGENT = """\
apiVersion: heliostat.dev/v1alpha1
kind: Agent
metadata: {name: sales}
"""
MEGABYTE = 1 << 20


def spec(text: str) -> str:
    return f"{AGENT}spec: {text}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (spec("{prompt: x}") + "---\na: [" + "a," * (MEGABYTE // 2) + "]", "20000 parts"),
        ("---\n{}\n" * MOST_PARTS, "20000 parts"),
        (spec("[" * MEGABYTE), "100 levels"),
        (spec("{a: " * (MEGABYTE // 4)), "100 levels"),
        ("- " * (MEGABYTE // 2), "100 levels"),
        (spec("{prompt: &x a, model: *x}"), "alias"),
        (spec("{prompt: !!int '1:59'}"), "tag"),
        ("".join(f"%TAG !{i}! a{i}\n" for i in range(50_000)) + "---\na", "%TAG"),
        (spec("{prompt: " + "9" * MEGABYTE + "}"), "not the YAML"),
        (spec("{prompt: 0x" + "f" * MEGABYTE + "}"), "not the YAML"),
        (spec('{prompt: "\\ud800"}'), "not the YAML"),
        (spec("{prompt: .nan}"), "not the YAML"),
    ],
    ids=lambda each: ascii(each)[-24:],
)
def test_what_is_costly_or_no_json_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(ImportRefusedError, match=why):
        import_yaml(text)


def test_a_long_text_and_many_parts_are_taken() -> None:
    prompt, items = "한 줄\n    " * 100_000, MOST_PARTS - 100
    text = spec(f'\n  prompt: "{prompt}"\n  parts: [{"a," * items}]')
    found = import_yaml(text).spec
    assert len(str(found["prompt"])) > 100_000
    parts = found["parts"]
    assert isinstance(parts, list)
    assert len(parts) == items


def test_what_is_nested_as_deep_as_it_may_be_is_taken() -> None:
    levels = DEEPEST - 2  # the document's own, and the spec's
    assert import_yaml(spec("{a: " + "[" * levels + "]" * levels + "}")).spec["a"]


@pytest.mark.parametrize("time", ["18:30", "2026-01-01", "2026-01-01T08:00:00Z", "1:59:59.5"])
def test_times_are_texts_as_kubectl_reads_them(time: str) -> None:
    assert import_yaml(spec(f"{{schedule: {{time: {time}}}}}")).spec == {"schedule": {"time": time}}


def test_a_time_of_a_megabyte_is_not_reckoned() -> None:
    time = "1" + ":59" * (MEGABYTE // 3)
    assert import_yaml(spec(f"{{prompt: {time}}}")).spec == {"prompt": time}
