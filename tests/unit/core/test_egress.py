"""Hosts that an Agent names: what they cover, and what an admin's list covers."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from heliostat_core.egress import (
    Domain,
    Egress,
    check_allowed,
    is_allowed,
    is_within,
    plain_name,
    read_host,
)
from support.crd_cases import HOST_CASES, Case

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
DOMAINS = st.builds(
    lambda labels, top: ".".join([*labels, top]),
    st.lists(LABELS, min_size=1, max_size=3),
    st.sampled_from(["com", "example", "kr", "x1"]),
)
NETWORKS = st.ip_addresses().flatmap(
    lambda address: st.integers(0, address.max_prefixlen).map(
        lambda length: ip_network(f"{address}/{length}", strict=False)
    )
)


@pytest.mark.parametrize("case", HOST_CASES, ids=lambda case: case.name)
def test_the_model_takes_what_the_definition_takes(case: Case) -> None:
    host = case.name.removeprefix("the host ")
    if case.refused_at is None:
        assert Egress(host=host).ports == (443,)
        return
    with pytest.raises(ValidationError, match=case.message.split("(")[0].replace("*", r"\*")):
        Egress(host=host)


def test_a_name_in_other_letters_is_refused_with_its_right_spelling() -> None:
    with pytest.raises(ValueError, match=r"write it as xn--3e0b707e\.kr"):
        read_host("한국.kr")


@given(DOMAINS)
def test_a_domain_covers_itself_and_nothing_else(domain: str) -> None:
    host = read_host(domain)
    assert isinstance(host, Domain)
    assert host.covers(domain)
    assert not host.covers(f"a.{domain}")
    assert not host.covers(f"a{domain}")
    assert not host.covers(domain.partition(".")[2])


@given(DOMAINS, LABELS, LABELS)
def test_a_wildcard_covers_what_is_below_at_any_depth_and_not_its_own_domain(
    domain: str, one: str, other: str
) -> None:
    host = read_host(f"*.{domain}")
    assert isinstance(host, Domain)
    assert host.covers(f"{one}.{domain}")
    assert host.covers(f"{one}.{other}.{domain}")
    assert not host.covers(domain)
    assert not host.covers(domain.partition(".")[2])
    assert not host.covers(f"{one}{domain}")
    assert not host.covers(f"{domain}.{one}")


@given(DOMAINS, st.data())
def test_case_and_the_dot_of_the_root_make_no_difference(domain: str, data: st.DataObject) -> None:
    mixed = "".join(
        letter.upper() if data.draw(st.booleans()) else letter for letter in f"{domain}."
    )
    host = read_host(mixed.removesuffix("."))
    assert isinstance(host, Domain)
    assert host.covers(plain_name(mixed))


def test_a_name_in_other_letters_is_compared_in_its_own_form() -> None:
    assert plain_name("WWW.한국.KR.") == "www.xn--3e0b707e.kr"


@given(DOMAINS, NETWORKS)
def test_no_name_covers_an_address_and_no_address_a_name(domain: str, network: object) -> None:
    try:
        address = read_host(str(network))
    except ValueError:
        return
    assert not is_within(read_host(domain), address)
    assert not is_within(address, read_host(f"*.{domain}"))


@given(NETWORKS)
def test_every_network_is_within_itself_and_within_all_addresses(network: object) -> None:
    try:
        host = read_host(str(network))
    except ValueError:
        return
    assert not isinstance(host, Domain)
    assert is_within(host, host)
    assert is_within(host, read_host("0.0.0.0/0" if host.version == 4 else "::/0"))
    assert not is_within(host, read_host("::/0" if host.version == 4 else "0.0.0.0/0"))


@pytest.mark.parametrize(
    ("host", "allowed", "is_covered"),
    [
        ("api.example.com", (), False),
        ("api.example.com", ("*",), True),
        ("10.0.0.1", ("*",), True),
        ("api.example.com", ("other.com", "*.example.com"), True),
        ("*.eu.example.com", ("*.example.com",), True),
        ("*.example.com", ("*.example.com",), True),
        ("example.com", ("*.example.com",), False),
        ("*.example.com", ("example.com", "api.example.com"), False),
        ("*.example.com", ("*.eu.example.com",), False),
        ("10.1.0.0/16", ("10.0.0.0/8",), True),
        ("10.0.0.0/8", ("10.1.0.0/16",), False),
        ("0.0.0.0/0", ("10.0.0.0/8",), False),
    ],
)
def test_an_admin_allows_hosts(host: str, allowed: tuple[str, ...], is_covered: bool) -> None:
    assert is_allowed(read_host(host), allowed) is is_covered


def test_an_admins_list_is_written_as_an_agents_is() -> None:
    assert [check_allowed(each) for each in ("*", "*.a.com", "::1")] == ["*", "*.a.com", "::1"]
    with pytest.raises(ValueError, match="must be a domain"):
        check_allowed("https://a.com")
