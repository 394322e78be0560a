"""manifests/crds and the chart's copy: the CustomResourceDefinitions as YAML."""

from collections.abc import Mapping

import yaml

from heliostat_core.crds import build_crds
from heliostat_core.worlds import JsonObject

HEAD = "# Generated from the models in heliostat_core, DO NOT EDIT: make generate\n"
KUSTOMIZATION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


def build_chart_files() -> Mapping[str, str]:
    """The same for the chart, where an uninstall leaves them: nobody's agents go with a release."""
    return {f"{name}.yaml": HEAD + _to_yaml(_kept(crd)) for name, crd in build_crds().items()}


def _kept(crd: JsonObject) -> JsonObject:
    metadata = crd["metadata"]
    assert isinstance(metadata, dict)
    return {**crd, "metadata": {**metadata, "annotations": {"helm.sh/resource-policy": "keep"}}}


def build_files() -> Mapping[str, str]:
    """File name -> text, one file for each definition, and kustomize's list of them."""
    files = {f"{name}.yaml": HEAD + _to_yaml(crd) for name, crd in build_crds().items()}
    listing = {**KUSTOMIZATION, "resources": sorted(files)}
    return {**files, "kustomization.yaml": HEAD + _to_yaml(listing)}


class _Dumper(yaml.SafeDumper):
    """Repeats what is equal instead of naming it: anchors confuse readers and some tools."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _to_yaml(document: object) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
