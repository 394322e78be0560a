"""Pictures of pages and the words on them, compared so that another font does not matter."""

import base64
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

COLUMNS, ROWS = 48, 30  # cells of about 30 x 30 pixels: a line of text is half of one
_OTHER_GREY: Final = 10  # of 255; pages are pale
# What differs each time: ids, names that were made up, days and times, numbers.
_VARYING: Final = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "0"),
    (re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b"), "Jan"),
    (re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b"), "Mon"),
    (re.compile(r"-(?=[a-z]*\d)[a-z0-9]{5,8}\b"), "-0"),
    (re.compile(r"\d+"), "0"),
    (re.compile(r"0 (?:sec|min|hr)\. ago"), "0 sec. ago"),
    (re.compile(r"0 min 0 s"), "0 s"),
)
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
    return [plain(line) for line in lines if "/url:" not in line]


def plain(line: str) -> str:
    """A line without what differs each time."""
    for varying, same in _VARYING:
        line = varying.sub(same, line)
    return line


def other_words(one: Sequence[str], two: Sequence[str]) -> float:
    """The share of lines that only one of two pages has."""
    left, right = Counter(one), Counter(two)
    return ((left - right).total() + (right - left).total()) / max(1, len(one) + len(two))
