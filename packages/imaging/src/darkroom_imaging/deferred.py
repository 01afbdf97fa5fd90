"""An image that is decoded by us once it is loaded, behind the face of one of Pillow's."""

from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image


class DeferredImage(Image.Image):
    """An image of which only the header has been read."""

    def __init__(self, size: tuple[int, int], info: Mapping[Any, Any], decode: Callable[[], Image.Image]) -> None:
        super().__init__()
        self._size = size
        self._mode = "RGB"
        self.info = dict(info)
        self._decode: Callable[[], Image.Image] | None = decode

    def load(self) -> Any:
        """Decode it, if that has not been done."""
        if self._decode is not None:
            image = self._decode()
            self._decode = None
            self.im = image.im
            self._mode, self._size = image.mode, image.size
            self.info = {**self.info, **image.info}
        return super().load()
