"""Shell commands drawn from public sources, before there were rules for them."""

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "unit" / "policy" / "corpora"
_LINE_BREAK = "⏎"


def read_corpus(name: str) -> list[str]:
    """The commands of a corpus: `nasty` or `everyday`."""
    lines = (_FOLDER / f"{name}.txt").read_text().splitlines()
    return [each.replace(_LINE_BREAK, "\n") for each in lines if each and not each.startswith("#")]
