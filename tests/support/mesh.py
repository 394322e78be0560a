"""A mutating webhook in the cluster that puts sidecars into pods, as a mesh does."""

import base64
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType

from heliostat_core.worlds import JsonObject
from support.certificates import make_identity
from support.platform import Platform

INJECT_LABEL = "mesh.test/inject"
"""On a pod: which of the sidecars it gets."""

_NAME, _NAMESPACE, _PORT = "mesh", "default", 8443
_IMAGE, _SIDECAR_IMAGE = "heliostat-operator:dev", "heliostat-workspace:dev"
_LOCKED: JsonObject = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
_PROXY: JsonObject = {
    "image": _SIDECAR_IMAGE,
    "imagePullPolicy": "IfNotPresent",
    "command": ["python3", "-c", "import time; time.sleep(3600)"],
    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
    "securityContext": _LOCKED,
}
_NATIVE: JsonObject = {**_PROXY, "restartPolicy": "Always"}


def _add(path: str, name: str, container: JsonObject) -> JsonObject:
    return {"op": "add", "path": path, "value": {"name": name, **container}}


PATCHES: Mapping[str, list[JsonObject]] = {
    "before": [_add("/spec/containers/0", "a-mesh", _PROXY)],
    "after": [_add("/spec/containers/-", "z-mesh", _PROXY)],
    "native": [
        {
            "op": "add",
            "path": "/spec/initContainers",
            "value": [{"name": "native-mesh", **_NATIVE}],
        }
    ],
    "all": [
        _add("/spec/containers/0", "a-mesh", _PROXY),
        _add("/spec/containers/-", "z-mesh", _PROXY),
        {
            "op": "add",
            "path": "/spec/initContainers",
            "value": [{"name": "native-mesh", **_NATIVE}],
        },
    ],
    "broken": [
        {
            "op": "add",
            "path": "/spec/initContainers",
            "value": [
                {
                    **_PROXY,
                    "name": "broken-mesh",
                    "command": ["python3", "-c", "raise SystemExit(3)"],
                }
            ],
        }
    ],
}

_PROGRAM = """
import base64, http.server, json, ssl
PATCHES = json.load(open("/mesh/patches.json"))

class Inject(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["request"]
        patch = PATCHES[asked["object"]["metadata"]["labels"]["mesh.test/inject"]]
        answer = {"uid": asked["uid"], "allowed": True, "patchType": "JSONPatch",
                  "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
        body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                           "response": answer}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = http.server.ThreadingHTTPServer(("", 8443), Inject)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/mesh/tls.crt", "/mesh/tls.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


class Mesh(AbstractContextManager["Mesh"]):
    """The webhook in a pod of its own, until the block ends."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def __enter__(self) -> "Mesh":
        key, certificate = make_identity(f"{_NAME}.{_NAMESPACE}.svc")
        self._platform.apply(*_server(certificate, key))
        kubectl = self._platform.cluster.kubectl
        kubectl("-n", _NAMESPACE, "wait", "--for=condition=Ready", f"pod/{_NAME}", "--timeout=120s")
        self._platform.apply(_webhook(self._platform.namespace, certificate))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        kubectl = self._platform.cluster.kubectl
        kubectl("delete", "mutatingwebhookconfiguration", _NAME, "--ignore-not-found")
        kubectl(
            *("-n", _NAMESPACE, "delete", f"pod/{_NAME}", f"service/{_NAME}", f"secret/{_NAME}"),
            *("--ignore-not-found", "--grace-period=1"),
        )


def _server(certificate: bytes, key: bytes) -> tuple[JsonObject, ...]:
    meta: JsonObject = {"name": _NAME, "namespace": _NAMESPACE, "labels": {"app": _NAME}}
    files = {
        "tls.crt": certificate.decode(),
        "tls.key": key.decode(),
        "patches.json": json.dumps(PATCHES),
    }
    container: JsonObject = {
        "name": "inject",
        "image": _IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", _PROGRAM],
        "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 1},
        "volumeMounts": [{"name": "mesh", "mountPath": "/mesh", "readOnly": True}],
        "securityContext": _LOCKED,
    }
    return (
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": files},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": {"app": _NAME}, "ports": [{"port": 443, "targetPort": _PORT}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta,
            "spec": {
                "containers": [container],
                "volumes": [{"name": "mesh", "secret": {"secretName": _NAME}}],
            },
        },
    )


def _webhook(namespace: str, certificate: bytes) -> JsonObject:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": _NAME},
        "webhooks": [
            {
                "name": "inject.mesh.test",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 10,
                "failurePolicy": "Fail",
                "clientConfig": {
                    "caBundle": base64.b64encode(certificate).decode(),
                    "service": {"name": _NAME, "namespace": _NAMESPACE, "path": "/"},
                },
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "objectSelector": {
                    "matchExpressions": [{"key": INJECT_LABEL, "operator": "Exists"}]
                },
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ],
            }
        ],
    }
