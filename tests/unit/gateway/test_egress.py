"""The egress proxy's decisions: what a target is, what covers it, which addresses are private."""

import base64
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heliostat_core.egress import Egress, IpAddress
from heliostat_gateway.egress.addresses import Reach, read_networks
from heliostat_gateway.egress.request_head import MOST_HEAD_BYTES, Head, HeadError, HeadReader
from heliostat_gateway.egress.targets import TargetError, is_named, read_target, real_address

INTERNET = Reach()
NAMED = tuple(
    Egress.model_validate(each)
    for each in (
        {"host": "api.example.com"},
        {"host": "*.Example.org", "ports": [443, 8443]},
        {"host": "203.0.113.0/24", "ports": [5432]},
        {"host": "2001:db8::/32"},
    )
)


@pytest.mark.parametrize(
    "authority",
    [
        "api.example.com:443",
        "API.Example.COM.:443",
        "a.example.org:8443",
        "a.b.example.org:443",
        "203.0.113.9:5432",
        "[2001:db8::9]:443",
        "[::ffff:203.0.113.9]:5432",
    ],
)
def test_named_hosts_are_covered_in_every_right_spelling(authority: str) -> None:
    assert is_named(read_target(authority), NAMED)


@pytest.mark.parametrize(
    "authority",
    [
        *("api.example.com:80", "example.com:443", "x.api.example.com:443", "example.org:443"),
        *("a.example.org.evil.com:443", "xexample.org:443", "api.example.com.evil.com:443"),
        *("203.0.113.9:443", "203.0.114.1:5432", "[2001:db9::1]:443", "localhost:443"),
        *("[::ffff:203.0.113.9]:443", "cb007109.example:443"),
    ],
)
def test_others_are_not(authority: str) -> None:
    assert not is_named(read_target(authority), NAMED)


@pytest.mark.parametrize(
    "authority",
    [
        *("0x7f.1:443", "127.1:443", "0x7f000001:443", "2130706433:443", "010.0.0.1:443"),
        *("1.2.3.4.5:443", "256.1.1.1:443", "127.0.0.1.:443", "a.0x1:443", "0x:443"),
        *("api.example.com", "api.example.com:0", "api.example.com:65536", ":443", "a:b:443"),
        *("user@api.example.com:443", "api.example.com/x:443", "[::1%lo]:443", "[1.2.3.4]x:443"),
        *("a..b:443", "-a.com:443", "a b:443", "a\x00.com:443", "[api.example.com]:443"),
        *("x" * 254 + ".com:443", "a.com:4431111"),
    ],
)
def test_what_another_library_may_read_otherwise_is_refused(authority: str) -> None:
    with pytest.raises(TargetError):
        read_target(authority)


def is_address_to_libc(text: str) -> bool:
    try:
        return bool(socket.inet_aton(text))
    except OSError:
        return False


@given(st.text(max_size=40))
@example("0x7f.1")
@example("1.1")
def test_no_text_is_read_as_a_name_that_the_system_reads_as_an_address(text: str) -> None:
    try:
        target = read_target(f"{text}:443")
    except TargetError:
        return
    if isinstance(target.host, str):
        assert not is_address_to_libc(target.host)


@given(st.ip_addresses())
def test_an_address_is_covered_as_itself_in_every_spelling(address: IpAddress) -> None:
    shown = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    target = read_target(f"{shown}:443")
    assert target.host == real_address(address)


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_judged_as_the_inner_one(inner: IpAddress) -> None:
    assert isinstance(inner, IPv4Address)
    spellings = (
        IPv6Address(f"::ffff:{inner}"),
        IPv6Address(int(IPv6Address("64:ff9b::")) | int(inner)),
        IPv6Address(0x2002 << 112 | int(inner) << 80),
    )
    for each in spellings:
        assert INTERNET.covers(each) == INTERNET.covers(inner), each


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0"),
        *("169.254.169.254", "169.254.20.10", "224.0.0.1", "255.255.255.255", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1"),
        *("64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::", "::10.0.0.1", "2001:db8::1"),
    ],
)
def test_private_link_local_and_metadata_addresses_are_no_place_outside(address: str) -> None:
    assert not INTERNET.covers(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_the_internet_is(address: str) -> None:
    assert INTERNET.covers(ip_address(address))


def test_an_admin_allows_private_networks_and_refuses_public_ones() -> None:
    reach = Reach(read_networks(("10.1.0.0/16", "fd00::/64")), read_networks(("34.0.0.0/8",)))
    allowed = ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "1.1.1.1")
    assert all(reach.covers(ip_address(each)) for each in allowed)
    refused = ("10.2.0.1", "34.1.2.3", "::ffff:34.1.2.3", "fd01::1")
    assert not any(reach.covers(ip_address(each)) for each in refused)
    assert not Reach(read_networks(("0.0.0.0/0",))).covers(ip_address("0.0.0.0"))


def read(*pieces: bytes) -> Head | None:
    reader = HeadReader()
    found = None
    for each in pieces:
        found = reader.take(each)
    return found


BASIC = base64.b64encode(b"heliostat:a.b.c").decode()


@given(st.integers(1, 120))
def test_a_head_is_read_however_it_is_cut(cut: int) -> None:
    whole = (
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n"
        b"Proxy-Authorization: Basic " + BASIC.encode() + b"\r\n\r\n"
    )
    pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    assert read(*pieces) == Head("CONNECT", "a.example:443", "a.b.c")


def test_bytes_behind_a_head_belong_to_the_tunnel() -> None:
    head = read(b"CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01")
    assert head is not None
    assert (head.rest, head.key) == (b"\x16\x03\x01", "")


@pytest.mark.parametrize(
    "value", ["Bearer a.b.c", f"basic {BASIC}", "Basic !", "Digest x", "Basic"]
)
def test_a_key_is_a_password_or_a_bearers(value: str) -> None:
    head = read(f"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: {value}\r\n\r\n".encode())
    assert head is not None
    assert head.key == ("a.b.c" if value in ("Bearer a.b.c", f"basic {BASIC}") else "")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_HEAD_BYTES + b"b",
    ],
)
def test_what_is_no_request_is_refused(sent: bytes) -> None:
    with pytest.raises(HeadError):
        read(sent)
