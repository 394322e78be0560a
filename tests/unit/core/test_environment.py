"""Settings of the environment: what is a mistake, and how lists are written."""

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from heliostat_core.environment import NetworkText, OtlpEndpoint, read_words, unknown_settings


@pytest.mark.parametrize(
    ("name", "is_told"),
    [
        ("API_PORT", False),  # a setting
        ("API_PROT", True),
        ("PORT", False),  # another program's
        ("API_SERVICE_HOST", False),  # what follows are links of a Service that is called `api`
        ("API_SERVICE_PORT", False),
        ("API_SERVICE_PORT_HTTP", False),
        ("API_PORT_80_TCP", False),
        ("API_PORT_80_TCP_ADDR", False),
        ("API_PORT_53_UDP_PROTO", False),
        ("API_PORT_9_SCTP", False),
        ("API_SERVICE_HOSTS", True),
        ("API_PORT_TCP", True),
        ("XAPI_SERVICE_HOST", False),
    ],
)
def test_a_name_with_our_prefix_that_is_no_setting_is_told(name: str, is_told: bool) -> None:
    assert unknown_settings([name], "API_", {"API_PORT"}) == ([name] if is_told else [])


def test_mistakes_are_told_in_their_order() -> None:
    assert unknown_settings(["A_C", "A_B"], "A_", set()) == ["A_B", "A_C"]


@pytest.mark.parametrize(
    ("given", "words"),
    [("a, b", ["a", "b"]), ("a b,c", ["a", "b", "c"]), ("", []), (["a, b"], ["a, b"])],
)
def test_words_stand_between_commas_or_spaces(given: object, words: object) -> None:
    assert read_words(given) == words


def test_a_network_is_written_by_its_first_address() -> None:
    networks = TypeAdapter(NetworkText)
    assert networks.validate_python("10.0.0.7/8") == "10.0.0.0/8"
    assert networks.validate_python("10.0.0.7") == "10.0.0.7/32"
    with pytest.raises(ValidationError):
        networks.validate_python("10.0.0.0/33")


class Settings(BaseModel):
    """A service that tells of spans."""

    endpoint: OtlpEndpoint = ""


@pytest.mark.parametrize("text", ["", "http://a:4318", "https://a"])
def test_a_receiver_of_spans_is_a_url_or_none(text: str) -> None:
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": text}
    assert Settings.model_validate(given).endpoint == text


@pytest.mark.parametrize("text", ["a:4318", "http://", "http://a b", "grpc://a"])
def test_no_other_receiver_is_taken(text: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"OTEL_EXPORTER_OTLP_ENDPOINT": text})
