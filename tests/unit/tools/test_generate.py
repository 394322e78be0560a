"""Generated parts land where the page says, and nowhere else."""

import subprocess
from pathlib import Path

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from tools import generate, settings_page
from tools.sections import replace_section, table

PAGE = "before\n<!-- generated:x -->\nold\n<!-- generated:end -->\nafter\n"


class Sample(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HELIOSTAT_SAMPLE_")

    port: int = Field(default=8081, description="Where it listens.")
    data_dir: str = Field(description="What it keeps.")
    anthropic_api_key: str | None = Field(
        default=None, validation_alias="ANTHROPIC_API_KEY", description="The provider's key."
    )


class Silent(BaseSettings):
    port: int = 1


def test_a_section_is_replaced_and_the_rest_of_the_page_stays() -> None:
    page = replace_section(PAGE, "x", "new\n")
    assert page == "before\n<!-- generated:x -->\nnew\n<!-- generated:end -->\nafter\n"
    assert replace_section(page, "x", "new") == page


def test_a_page_without_the_section_is_refused() -> None:
    with pytest.raises(ValueError, match="generated:y"):
        replace_section(PAGE, "y", "new")


def test_bars_do_not_break_a_table() -> None:
    assert table(("a",), [("x|y",)]) == "| a |\n| --- |\n| x\\|y |"


def test_settings_become_a_table_with_the_names_of_the_environment() -> None:
    assert settings_page.build_table(Sample).splitlines()[2:] == [
        "| `HELIOSTAT_SAMPLE_PORT` | int | `8081` | Where it listens. |",
        "| `HELIOSTAT_SAMPLE_DATA_DIR` | str | required | What it keeps. |",
        "| `ANTHROPIC_API_KEY` | str | none | The provider's key. |",
    ]


def test_a_setting_without_a_description_is_refused() -> None:
    with pytest.raises(ValueError, match="must have a description"):
        settings_page.build_table(Silent)


def test_a_leftover_in_a_generated_folder_goes(tmp_path: Path) -> None:
    (tmp_path / "crds").mkdir()
    (tmp_path / "crds" / "old.yaml").touch()
    plan = generate.Plan(tmp_path, [("crds", lambda: {"new.yaml": "new"})], [])
    changed = [path.name for path in generate.write(plan)]
    assert changed == ["new.yaml", "old.yaml"]
    assert [path.name for path in (tmp_path / "crds").iterdir()] == ["new.yaml"]


def test_verify_tells_a_file_that_no_commit_holds(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    plan = generate.Plan(tmp_path, [("crds", lambda: {"new.yaml": "new"})], [])
    generate.write(plan)
    assert generate.find_uncommitted(plan) == ["?? crds/new.yaml"]
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    assert generate.find_uncommitted(plan) == []
