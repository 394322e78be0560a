"""Which addresses are somebody's on the internet."""

from ipaddress import ip_address

import pytest

from heliostat_core.addresses import is_public, unwrapped


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "34.118.224.1",
        "::ffff:34.118.239.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "fc00::1",
        "fe80::1",
        "ff02::1",
    ],
)
def test_what_is_not_of_the_internet(address: str) -> None:
    assert not is_public(unwrapped(ip_address(address)))


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "34.118.240.1", "2606:2800:21f::1", "::ffff:93.184.215.14"]
)
def test_what_is(address: str) -> None:
    assert is_public(unwrapped(ip_address(address)))
