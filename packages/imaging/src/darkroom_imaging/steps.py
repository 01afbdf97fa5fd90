"""Do operations to a picture, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image

from darkroom_imaging.effects.blur import blur, sharpen
from darkroom_imaging.effects.lettering import lettered
from darkroom_imaging.effects.pixelate import pixelate
from darkroom_imaging.effects.resize import crop, layout, resize
from darkroom_imaging.effects.tones import adjust, grayscale
from darkroom_imaging.effects.turning import flip, rotate
from darkroom_imaging.effects.watermark import Mark, scaled, watermark
from darkroom_imaging.errors import BadOperationError
from darkroom_imaging.failures import unexpected
from darkroom_imaging.frames import still
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import (
    Adjust,
    Blur,
    Convert,
    Crop,
    Flip,
    Grayscale,
    Operation,
    Pixelate,
    Resize,
    Rotate,
    Sharpen,
    Watermark,
)
from darkroom_imaging.original import open_original
from darkroom_imaging.picture import Picture, whole


@dataclass(frozen=True, slots=True)
class Studio:
    """What operations need besides the picture."""

    limits: Limits
    overlays: Mapping[str, bytes]
    """The images that watermarks name, by their ``image_id``."""

    def run(self, picture: Picture, pipeline: Sequence[Operation], *, keep: bool = False) -> Picture:
        """Do all operations, which may change the picture that is given.

        Args:
            picture: what they are done to.
            pipeline: the operations, in this order.
            keep: leave the picture that is given as it is. It is copied only where an operation would change it.

        Raises:
            ImageTooLargeError: a step would make it larger than the limits.
            BadOperationError: a step does not fit the picture.
            NotAnImageError, DamagedImageError: an overlay cannot be opened.
            UnexpectedError: a step failed.
        """
        kept = picture.image if keep else None
        for operation in pipeline:
            with unexpected(f"The operation {operation.op}"):
                if picture.image is kept and _changes_pixels(operation):
                    picture = replace(picture, image=picture.image.copy())
                picture = self._after(picture, operation)
        return picture

    def _after(self, picture: Picture, operation: Operation) -> Picture:
        match operation:
            case Convert():
                return picture
            case Blur():
                return blur(picture, operation)
            case Resize():
                target = layout(operation, picture.size)
                self.limits.check_size(*target.size, what="The resized image")
                return resize(picture, target)
        return whole(self._drawn(picture.image, operation))

    def _drawn(self, image: Image.Image, operation: Operation) -> Image.Image:
        match operation:
            case Pixelate():
                return pixelate(image, operation)
            case Crop():
                return crop(image, operation)
            case Rotate():
                return rotate(image, operation, self.limits)
            case Flip():
                return flip(image, operation)
            case Grayscale():
                return grayscale(image)
            case Sharpen():
                return sharpen(image, operation)
            case Adjust():
                return adjust(image, operation)
            case Watermark():
                return watermark(image, operation, self._mark(operation))
        raise BadOperationError(f"The operation {operation.op} is not known to this worker.")

    def _mark(self, operation: Watermark) -> Mark:
        if operation.text is not None:
            return partial(lettered, operation.text)
        source = self.overlays.get(operation.image_id or "")
        if source is None:
            raise BadOperationError("The image of the watermark is not there any more. Upload it again.")
        return partial(scaled, still(open_original(source, self.limits), self.limits).image)


def _changes_pixels(operation: Operation) -> bool:
    """Whether the operation draws on the image that it is given, instead of making a new one."""
    match operation:
        case Adjust() | Watermark():
            return True
        case Blur() | Pixelate():
            return operation.regions is not None
        case _:
            return False
