"""Which proxy leads to the API server, as the environment says."""

import pytest

from heliostat_kubernetes.connection import find_proxy


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")


def test_the_environment_names_the_proxy_of_the_scheme() -> None:
    assert find_proxy("https://kube.test:6443") == "http://proxy.test:3128"
    assert find_proxy("http://kube.test:8001") is None


@pytest.mark.parametrize("exempt", ["kube.test", ".test", "kube.test:6443"])
def test_an_exempt_address_is_asked_directly(exempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", f"localhost,{exempt}")
    assert find_proxy("https://kube.test:6443") is None
