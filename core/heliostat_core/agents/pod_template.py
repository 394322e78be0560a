"""What the pods of an Agent's runs have beside what Heliostat gives them."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from heliostat_core.names import GROUP, MANAGED_BY_LABEL
from heliostat_core.resources import Part, rules

MOST_KEYS: Final = 32
_KEY: Final = (
    r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
_OWN_DOMAINS: Final = (GROUP, "batch.kubernetes.io")
_OWN_KEYS: Final = (MANAGED_BY_LABEL, "job-name", "controller-uid")

_KEYS_ARE_VALID: Final = (
    f"self.all(key, key.matches('{_KEY}'))",
    "must have keys as Kubernetes wants them: a name of at most 63 letters, digits, '-', '_' and "
    "'.', with a DNS name and '/' before it or not",
)
_NO_KEY_IS_OURS: Final = (
    "self.all(key, "
    + " && ".join(f"!key.startsWith('{each}/')" for each in _OWN_DOMAINS)
    + " && !(key in ["
    + ", ".join(f"'{each}'" for each in _OWN_KEYS)
    + "]))",
    f"must not have keys of {' or '.join(f'{each}/' for each in _OWN_DOMAINS)}, nor "
    f"{', '.join(_OWN_KEYS)}: Heliostat and Kubernetes set those",
)


class PodMetadata(Part):
    """Labels and annotations of pods."""

    labels: Annotated[
        Mapping[
            str,
            Annotated[
                str,
                StringConstraints(
                    max_length=63, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
                ),
            ],
        ]
        | None,
        Field(
            max_length=MOST_KEYS,
            description="Labels of each pod, for example sidecar.istio.io/inject: 'false'.",
            json_schema_extra=rules(_KEYS_ARE_VALID, _NO_KEY_IS_OURS),
        ),
    ] = None
    annotations: Annotated[
        Mapping[str, Annotated[str, StringConstraints(max_length=4096)]] | None,
        Field(
            max_length=MOST_KEYS,
            description="Annotations of each pod.",
            json_schema_extra=rules(_KEYS_ARE_VALID, _NO_KEY_IS_OURS),
        ),
    ] = None


class PodTemplate(Part):
    """What the pods of runs have beside what Heliostat gives them."""

    metadata: Annotated[
        PodMetadata | None,
        Field(description="Labels and annotations, which others read: a mesh, a cost report."),
    ] = None
