"""What can be wrong with an image or with what was asked of it."""


class ImageError(ValueError):
    """The image cannot be worked on. Its text is a sentence for the owner of the image and holds nothing else."""


class NotAnImageError(ImageError):
    """The bytes are of no format that is read here."""


class DamagedImageError(ImageError):
    """The image begins like one and then is cut off or broken."""


class ImageTooLargeError(ImageError):
    """The image, or the result asked for, is beyond a limit."""


class BadOperationError(ImageError):
    """An operation cannot be done, or not to this image."""


class UnexpectedError(ImageError):
    """Something failed that should not have: the fault is ours, or a library's. Its cause says which."""
