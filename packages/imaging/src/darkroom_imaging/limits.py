"""How large an image may be, checked before memory is spent on it."""

from dataclasses import dataclass

from PIL import Image

from darkroom_imaging.errors import ImageTooLargeError


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest image, and the largest result, that is worked on.

    Raises:
        ValueError: ``max_pixels`` is beyond the size at which Pillow begins to warn of decompression bombs.
    """

    max_bytes: int = 25 * 1024 * 1024
    """Of the file."""
    max_pixels: int = 50_000_000
    """Width times height, summed over the frames of an animation: at four bytes each, what it takes in memory."""
    max_side: int = 30_000
    """Of the width or the height, in pixels. OpenCV's geometry counts in 16 bits, to 32,767."""
    max_frames: int = 1_000
    """Of an animation."""

    def __post_init__(self) -> None:
        if Image.MAX_IMAGE_PIXELS is not None and self.max_pixels > Image.MAX_IMAGE_PIXELS:
            raise ValueError(f"max_pixels can be at most {Image.MAX_IMAGE_PIXELS}, Pillow's own limit")

    def check_bytes(self, count: int) -> None:
        """Refuse a file for its length.

        Raises:
            ImageTooLargeError: it has more bytes than ``max_bytes``.
        """
        if count > self.max_bytes:
            raise ImageTooLargeError(
                f"The file is too large: {count / 1e6:.3g} MB; the limit is {self.max_bytes / 1e6:.3g} MB."
            )

    def check_size(self, width: int, height: int, *, frames: int = 1, what: str = "The image") -> None:
        """Refuse a picture for its size.

        Args:
            width: in pixels.
            height: in pixels.
            frames: how many pictures of this size there are.
            what: the subject of the error's sentence.

        Raises:
            ImageTooLargeError: it is beyond one of the limits.
        """
        if frames > self.max_frames:
            raise ImageTooLargeError(f"{what} has more than {self.max_frames:,} frames, which is the limit.")
        if max(width, height) > self.max_side:
            raise ImageTooLargeError(
                f"{what} is too large: {width:,} × {height:,} px; the limit is {self.max_side:,} px per side."
            )
        if width * height * frames > self.max_pixels:
            times = f" in {frames:,} frames" if frames > 1 else ""
            limit = f"{self.max_pixels / 1e6:g} megapixels"
            raise ImageTooLargeError(f"{what} is too large: {width:,} × {height:,} px{times}; the limit is {limit}.")
