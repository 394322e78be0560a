"""The control plane that other integration tests stand on."""

import base64
import json
import ssl
import urllib.request

from support.control_plane import Address


def test_it_stores_and_returns_an_object(api_server: Address) -> None:
    api_server.kubectl("create", "configmap", "stands", "--from-literal=a=b")
    read = json.loads(api_server.kubectl("get", "configmap", "stands", "-o", "json"))
    assert read["data"] == {"a": "b"}


def test_python_trusts_the_kubeconfigs_authority_in_strict_mode(api_server: Address) -> None:
    config = json.loads(api_server.kubeconfig.read_text())
    data = config["clusters"][0]["cluster"]["certificate-authority-data"]
    context = ssl.create_default_context(cadata=base64.b64decode(data).decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    with urllib.request.urlopen(f"{api_server.url}/livez", timeout=10, context=context) as answer:
        assert answer.read() == b"ok"


def test_rules_of_rbac_hold(api_server: Address) -> None:
    stranger = ["--as=system:serviceaccount:default:stranger", "get", "secrets"]
    assert "forbidden" in api_server.kubectl.run(*stranger).stderr
