"""Pictures of pages and the words on them, compared so that another font does not matter."""

import base64
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

COLUMNS, ROWS = 48, 30  # cells of about 30 x 30 pixels: a line of text is half of one
_OTHER_GREY: Final = 24  # of 255
_NUMBER: Final = re.compile(r"\d+")
_NAMED: Final = re.compile(r"\b(\w+(?:-\w+)*)-(?=\w*\d)\w{5}\b")
_READ: Final = """async ([png, columns, rows]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(columns, rows);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, columns, rows);
  const found = [...context.getImageData(0, 0, columns, rows).data];
  const greys = found.filter((_, at) => at % 4 === 1);
  return [image.width, image.height, ...greys];
}"""


@dataclass(frozen=True)
class Picture:
    """The size of a picture, and how light each cell of it is."""

    width: int
    height: int
    cells: tuple[int, ...]


def read_picture(blank: Page, png: bytes) -> Picture:
    """Has a browser's blank page decode and shrink a picture."""
    given = [base64.b64encode(png).decode(), COLUMNS, ROWS]
    width, height, *cells = blank.evaluate(_READ, given)
    return Picture(width, height, tuple(cells))


def other_cells(one: Picture, two: Picture) -> float:
    """The share of cells in which two pictures of one size differ; 1 for pictures of two sizes."""
    if (one.width, one.height) != (two.width, two.height):
        return 1.0
    pairs = list(zip(one.cells, two.cells, strict=True))
    return sum(abs(left - right) > _OTHER_GREY for left, right in pairs) / len(pairs)


def read_words(page: Page) -> list[str]:
    """What assistive technology reads of a page, line by line, without what differs each time."""
    lines = page.locator("body").aria_snapshot().splitlines()
    return [_plain(line) for line in lines if "/url:" not in line]


def _plain(line: str) -> str:
    return _NUMBER.sub("0", _NAMED.sub(r"\1-0", line))


def other_words(one: Sequence[str], two: Sequence[str]) -> float:
    """The share of lines that only one of two pages has."""
    left, right = Counter(one), Counter(two)
    return ((left - right).total() + (right - left).total()) / max(1, len(one) + len(two))
