"""One installation for the whole session, with the images that our Dockerfiles make."""

from collections.abc import Iterator

import pytest

from support.cluster import Cluster
from support.platform import Platform


@pytest.fixture(scope="session")
def platform(cluster: Cluster) -> Iterator[Platform]:
    installed = Platform(cluster)
    installed.install()
    yield installed
    installed.uninstall()
