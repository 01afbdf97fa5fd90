"""A result fits the bytes it is allowed, at the best quality that does, or its owner hears why not."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from darkroom_contracts.formats import ImageFormat, Metadata
from darkroom_imaging import encoding
from darkroom_imaging.encoding import QUALITY, Animation, Target
from darkroom_imaging.engine import process, process_outputs
from darkroom_imaging.errors import BadOperationError, ResultTooLargeError
from darkroom_imaging.fitting import NothingFitsError, fit
from darkroom_imaging.operations import Convert, Resize, read_pipeline, write_pipeline
from PIL import Image
from support.pictures import decode, encode, photograph

LOSSY = ("jpeg", "webp", "avif")
MAX_ENCODES = 8


def size_at(form: Any, quality: int, source: bytes) -> int:
    return len(process(source, (Convert(format=form, quality=quality),)).data)


@pytest.mark.parametrize("form", LOSSY)
@pytest.mark.parametrize("share", [0.9, 0.6, 0.3])
def test_the_best_quality_that_fits_is_taken(form: Any, share: float) -> None:
    source = encode(photograph(), "PNG")
    limit = int(size_at(form, QUALITY[form], source) * share)
    result = process(source, (Convert(format=form, max_bytes=limit),))
    assert len(result.data) <= limit
    fitting = {
        quality: process(source, (Convert(format=form, quality=quality),)).data
        for quality in range(1, 100, 1 if form != "avif" else 4)
    }
    better = [quality for quality, data in fitting.items() if len(data) <= limit and quality <= QUALITY[form]]
    assert len(result.data) >= len(fitting[max(better)])


@pytest.mark.parametrize("form", LOSSY)
def test_what_fits_anyway_is_what_it_would_be_without(form: Any) -> None:
    source = encode(photograph(), "PNG")
    plain = process(source, (Convert(format=form, quality=50),))
    exactly = len(plain.data)
    assert process(source, (Convert(format=form, quality=50, max_bytes=exactly),)) == plain
    assert process(source, (Convert(format=form, quality=50, max_bytes=10_000_000),)) == plain


@pytest.mark.parametrize("form", LOSSY)
def test_what_no_quality_makes_fit_fails_and_tells_the_smallest_size(form: Any) -> None:
    source = encode(photograph(), "PNG")
    with pytest.raises(ResultTooLargeError) as error:
        process(source, (Convert(format=form, max_bytes=200),))
    told = re.fullmatch(
        r"The result does not fit 200 bytes: at the lowest quality it has ([\d,]+)\. "
        r"Make the image smaller with resize, or raise max_bytes\.",
        str(error.value),
    )
    assert told
    smallest = int(told[1].replace(",", ""))
    assert smallest == size_at(form, 1, source)
    assert len(process(source, (Convert(format=form, max_bytes=smallest),)).data) == smallest


@pytest.mark.parametrize("form", ["png", "gif", "tiff"])
def test_a_format_without_quality_fits_or_says_what_to_do(form: Any) -> None:
    source = encode(photograph(), "PNG")
    plain = process(source, (Convert(format=form),))
    exactly = len(plain.data)
    assert process(source, (Convert(format=form, max_bytes=exactly),)) == plain
    with pytest.raises(
        ResultTooLargeError, match=f"it has {exactly:,}, and {form.upper()} has no quality.* or convert to"
    ):
        process(source, (Convert(format=form, max_bytes=exactly - 1),))


@pytest.mark.parametrize("form", LOSSY)
@pytest.mark.parametrize("share", [0.95, 0.75, 0.55])
@pytest.mark.parametrize("seed", range(3))
def test_few_encodings_are_enough(form: Any, share: float, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photograph(160, 120, seed)
    limit = int(len(encoding.encode([picture], Target(ImageFormat(form)))[0]) * share)
    tried = []
    encoded = encoding._encoded

    def count(bare: Any, target: Target, quality: int, animation: Animation | None) -> bytes:
        tried.append(quality)
        return encoded(bare, target, quality, animation)

    monkeypatch.setattr(encoding, "_encoded", count)
    encoding.encode([picture], Target(ImageFormat(form), max_bytes=limit))
    assert len(tried) == len(set(tried)) <= MAX_ENCODES


def steep(quality: int) -> int:
    return 1 << (quality // 5 + 1)


def flat(quality: int) -> int:
    return 1000 + quality


def stairs(quality: int) -> int:
    return 100 + quality // 30 * 900


@pytest.mark.parametrize("sizes", [steep, flat, stairs])
@pytest.mark.parametrize("at", [1, 37, 60, 90])
def test_images_unlike_all_others_are_fitted_too(sizes: Callable[[int], int], at: int) -> None:
    tried = []

    def encode_at(quality: int) -> bytes:
        tried.append(quality)
        return bytes(sizes(quality))

    limit = sizes(at)
    best = max(quality for quality in range(1, 91) if sizes(quality) <= limit)
    assert fit(ImageFormat.JPEG, 90, limit, encode_at).quality == best
    assert len(tried) == len(set(tried)) <= 15
    with pytest.raises(NothingFitsError):
        fit(ImageFormat.JPEG, 90, sizes(1) - 1, encode_at)


def test_an_animation_is_fitted_with_all_its_frames() -> None:
    frames = [photograph(64, 48, seed) for seed in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=100, quality=90)
    plain = process(file.getvalue())
    result = process(file.getvalue(), (Convert(format="webp", max_bytes=len(plain.data) * 2 // 3),))
    assert (result.frames, len(result.data) <= len(plain.data) * 2 // 3) == (3, True)


def test_metadata_counts_and_each_output_has_its_own_limit() -> None:
    tags = Image.Exif()
    tags[0x010E] = "A long description. " * 100
    source = encode(photograph(), "JPEG", exif=tags)
    outputs = {"small": (Convert(format="jpeg", max_bytes=8_000),), "web": (Convert(format="webp", max_bytes=9_000),)}
    results = process_outputs(source, (), outputs, metadata=Metadata.ALL)
    assert len(results["small"].data) <= 8_000
    assert b"A long description." in results["small"].data
    assert len(results["web"].data) <= 9_000
    with pytest.raises(ResultTooLargeError, match=r"^tiny: The result"):
        process_outputs(source, (), {"web": (), "tiny": (Resize(width=100), Convert(format="jpeg", max_bytes=100))})


def test_the_same_image_gives_the_same_bytes() -> None:
    source = encode(photograph())
    steps = (Convert(format="avif", max_bytes=5_000),)
    assert process(source, steps) == process(source, steps)
    assert decode(process(source, steps).data).size == (320, 240)


def test_pipelines_without_it_can_be_read_by_the_version_before() -> None:
    written = write_pipeline([Convert(format="png")])
    assert written == [{"op": "convert", "format": "png", "quality": None, "keep_profile": False}]
    steps = (Convert(format="webp", max_bytes=70_000),)
    assert read_pipeline(write_pipeline(steps)) == steps
    with pytest.raises(BadOperationError, match="max_bytes: must be at least 1"):
        read_pipeline([{"op": "convert", "format": "png", "max_bytes": 0}])
