"""What chart and manifests have in common, written once: rights, policies, Redis's settings."""

import re
from pathlib import Path
from typing import Final

from tools import kind_rights

MANIFESTS: Final = Path(__file__).resolve().parent.parent / "manifests"
_HEAD: Final = "{{/* Generated from manifests/%s, DO NOT EDIT: make generate */}}\n"
_LABELS: Final = """\\g<0>  labels:
    {{- include "heliostat.labels" (dict "root" . "name" "%s") | nindent 4 }}
"""
_ACCOUNT_END: Final = "automountServiceAccountToken: false\n"
_ANNOTATIONS: Final = """\
  {{- with .Values.operator.serviceAccountAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
"""
_NAME = re.compile(r"^metadata:\n  name: .*\n", re.MULTILINE)
_NAMESPACE = re.compile(r"apiVersion: v1\nkind: Namespace\n.*?\n---\n", re.DOTALL)


def build_operator_rights() -> str:
    """The operator's roles and account, which a cloud binds to its own by annotations."""
    text = _template("operator/rbac.yaml", "heliostat-operator")
    return text.replace(_ACCOUNT_END, _ANNOTATIONS + _ACCOUNT_END, 1)


def build_api_rights() -> str:
    """The api's roles; its account has annotations of its own, and is a template by hand."""
    return _only_with_api(_template("api/rbac.yaml", "heliostat-api"))


def build_api_policies() -> str:
    """What roles can't say of the api."""
    return _only_with_api(_template("api/secrets.yaml", "heliostat-api"))


def build_approval_policies() -> str:
    """Who may decide on an ask, and in whose name."""
    return _template("approvals/policy.yaml", "heliostat-operator")


def build_approver_role() -> str:
    """The right to decide, bound to nobody."""
    return _template("approvals/approver.yaml", "heliostat-operator")


def build_redis_settings() -> str:
    """Redis's own file, as it is."""
    return (MANIFESTS / "redis" / "redis.conf").read_text()


def _template(path: str, component: str) -> str:
    text = _NAMESPACE.sub("", _read(path))
    text = _NAME.sub(_LABELS % component, text)
    text = text.replace("namespace: heliostat-agents", "namespace: {{ .Values.agents.namespace }}")
    text = text.replace("heliostat-system", "{{ .Release.Namespace }}")
    return _HEAD % path + text


def _read(path: str) -> str:
    """A file of the manifests, as this very run generates it."""
    is_generated = path in (kind_rights.OPERATOR_FILE, kind_rights.API_FILE)
    return kind_rights.render(path) if is_generated else (MANIFESTS / path).read_text()


def _only_with_api(template: str) -> str:
    head, _, body = template.partition("\n")
    return f"{head}\n{{{{- if .Values.api.enabled }}}}\n{body.rstrip()}\n{{{{- end }}}}\n"
