"""Fields in the API server's own words."""

import pytest

from heliostat_api.web.problems import fields_of

HEAD = 'Agent.heliostat.dev "x" is invalid: '
BODY = "spec.limits.timeoutSeconds in body should be greater than or equal to 1"
RULE = "must name a variable in env or in secretRefs, not in both"


@pytest.mark.parametrize(
    ("refusal", "fields"),
    [
        (
            f"{HEAD}spec.limits.timeoutSeconds: Invalid value: 0: {BODY}",
            {"spec.limits.timeoutSeconds": f"Invalid value: 0: {BODY}"},
        ),
        (
            f'{HEAD}[spec.prompt: Required value, spec.workspace: Invalid value: "object": {RULE}]',
            {
                "spec.prompt": "Required value",
                "spec.workspace": f'Invalid value: "object": {RULE}',
            },
        ),
        (
            f'{HEAD}spec.workspace.env[1]: Duplicate value: {{"name": "A"}}',
            {"spec.workspace.env[1]": 'Duplicate value: {"name": "A"}'},
        ),
        (
            "failed to create typed patch object (a/b; v1, Kind=Agent): "
            ".spec.promt: field not declared in schema, .spec.x: field not declared in schema",
            {
                "spec.promt": "field not declared in schema",
                "spec.x": "field not declared in schema",
            },
        ),
        ("admission webhook said no", {}),
        ("", {}),
    ],
)
def test_each_field_is_told_with_what_is_said_of_it(refusal: str, fields: dict[str, str]) -> None:
    assert dict(fields_of(refusal)) == fields
