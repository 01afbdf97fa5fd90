"""Everything about images, a plain library: it knows nothing of Celery, Redis or storage.

``darkroom_imaging.inspection`` tells whether a file is an image that is worked on here, and why not; it needs neither
NumPy nor OpenCV. ``darkroom_imaging.engine`` has ``process(source, pipeline)``, which takes the bytes of an image and
gives back those of its result, and ``process_outputs`` for several results at once: Pillow decodes, encodes and
transforms, OpenCV does the arithmetic on pixels where that pays. What each operation does exactly is in
``docs/image-operations.md``. This module imports neither of the two, so that whoever inspects need not install the
engine.
"""
