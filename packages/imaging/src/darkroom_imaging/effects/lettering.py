"""A line of text as an image."""

from PIL import Image, ImageDraw, ImageFont

from darkroom_imaging.errors import BadOperationError

_TRIAL_SIZE = 100
_OUTLINE = 0.05
"""The width of the outline that keeps white letters readable on white, as a share of the size of the font."""


def lettered(text: str, room: tuple[int, int]) -> Image.Image:
    """White letters with a black outline on nothing, in the font that comes with Pillow.

    Args:
        text: is drawn as one line, without its control characters.
        room: the width and height it is to fill, as far as its proportions allow.

    Raises:
        BadOperationError: the text has nothing that can be seen.
    """
    line = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    if not line:
        raise BadOperationError("The text of the watermark has no letters that can be drawn.")
    left, top, right, bottom = _extent(line, _TRIAL_SIZE)
    factor = min(room[0] / max(1, right - left), room[1] / max(1, bottom - top))
    image = _drawn(line, max(1, int(_TRIAL_SIZE * factor)))
    image.thumbnail(room)  # letters have their own smallest size, and round theirs up
    return image


def _extent(line: str, size: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = ImageFont.load_default(size).getbbox(line, stroke_width=_stroke(size))
    return int(left), int(top), int(right) + 1, int(bottom) + 1


def _drawn(line: str, size: int) -> Image.Image:
    left, top, right, bottom = _extent(line, size)
    image = Image.new("RGBA", (max(1, right - left), max(1, bottom - top)), (0, 0, 0, 0))
    ImageDraw.Draw(image).text(
        (-left, -top),
        line,
        fill="white",
        font=ImageFont.load_default(size),
        stroke_width=_stroke(size),
        stroke_fill="black",
    )
    return image


def _stroke(size: int) -> int:
    return round(size * _OUTLINE)
