"""Variables of the environment: how lists are written, and which names are mistakes."""

import re
from collections.abc import Collection, Iterable
from ipaddress import ip_network
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field

# Kubernetes injects such names into pods beside a Service that is called like the program.
_SERVICE_LINK = r"(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)"


def unknown_settings(given: Iterable[str], prefix: str, known: Collection[str]) -> list[str]:
    """Names with our prefix that are no setting: a typing error must not pass in silence."""
    link = re.compile(re.escape(prefix) + _SERVICE_LINK)
    return sorted(
        name
        for name in given
        if name.startswith(prefix) and name not in known and not link.fullmatch(name)
    )


def read_words(given: object) -> object:
    """`a, b` as a list: easier to write in an environment than JSON."""
    return given.replace(",", " ").split() if isinstance(given, str) else given


def _network(text: str) -> str:
    return str(ip_network(text, strict=False))


NetworkText = Annotated[str, AfterValidator(_network)]
"""A CIDR as it is usually written: 10.0.0.7/8 is 10.0.0.0/8."""

OTLP_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
OtlpEndpoint: TypeAlias = Annotated[
    str,
    Field(
        validation_alias=OTLP_ENDPOINT,
        pattern=r"^(https?://\S+)?$",
        description="Receiver of spans (OTLP over HTTP, without `/v1/traces`); none without it. "
        "Other `OTEL_` variables hold as OpenTelemetry says.",
    ),
]
"""The setting of a service that tells of spans."""

RefreshSeconds = Annotated[
    float,
    Field(gt=0, le=86400, description="A secret's labels and newest version are read anew after."),
]
KeepSeconds = Annotated[
    float,
    Field(
        gt=0,
        le=86400,
        description="While Secret Manager is away, what was read is used for so long.",
    ),
]
