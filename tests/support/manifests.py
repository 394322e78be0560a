"""The manifests of the repository, as objects."""

from pathlib import Path

import yaml

from heliostat_core.worlds import JsonObject

ROOT = Path(__file__).resolve().parents[2]
INSTALLATION = ROOT / "manifests"
SAMPLES = INSTALLATION / "samples"


def read_objects(path: Path) -> list[JsonObject]:
    """Every object of a YAML file."""
    objects: list[JsonObject] = [each for each in yaml.safe_load_all(path.read_text()) if each]
    return objects
