"""One release after the other on the cluster; modules that want a fresh one share it."""

from collections.abc import Iterator

import pytest

from support.chart import Chart, Release
from support.cluster import Cluster


@pytest.fixture(scope="package")
def release(cluster: Cluster) -> Iterator[Release]:
    release = Release(Chart(cluster))
    yield release
    release.remove()
