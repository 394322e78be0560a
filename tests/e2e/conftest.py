"""The images that our Dockerfiles make, installed by the manifests or by the chart."""

from collections.abc import Iterator

import pytest

from support.cluster import Cluster
from support.platform import Platform
from support.site import Site


@pytest.fixture(scope="session")
def site(cluster: Cluster) -> Iterator[Site]:
    site = Site(cluster)
    yield site
    site.clear()


@pytest.fixture(scope="module")
def platform(site: Site) -> Platform:
    installed = Platform(site.cluster)
    site.hold("manifests", installed.install, installed.uninstall)
    return installed
