"""One image becomes several outputs, as if each had been made by itself."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from darkroom_imaging.engine import process, process_outputs
from darkroom_imaging.errors import BadOperationError, ImageTooLargeError
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
    overlay_ids,
    read_outputs,
    write_outputs,
)
from darkroom_imaging.original import Original
from darkroom_imaging.picture import Picture
from darkroom_imaging.steps import Studio
from PIL import Image, ImageCms
from support.pictures import decode, encode, photograph, pixels, psnr

PART = ((0.1, 0.1, 0.5, 0.5),)
EACH: Mapping[str, Sequence[Operation]] = {
    "nothing": (),
    "converted": (Convert(format="png"),),
    "blurred": (Blur(radius=3),),
    "blurred-part": (Blur(radius=3, regions=PART),),
    "pixelated-part": (Pixelate(size=8, regions=PART),),
    "resized": (Resize(width=80),),
    "same-size": (Resize(width=10_000), Adjust(brightness=0.5)),
    "cropped": (Crop(width=50, height=40),),
    "not-turned": (Rotate(angle=0), Watermark(text="Darkroom")),
    "flipped": (Flip(), Adjust(contrast=1.5)),
    "grey": (Grayscale(),),
    "sharp": (Sharpen(),),
    "adjusted": (Adjust(saturation=2.0),),
    "marked": (Watermark(text="Darkroom", opacity=1.0),),
    "end": (),
}
"""An output for each operation, and one behind all that could have changed it."""


def animation(form: str) -> bytes:
    frames = [photograph(64, 48, seed) for seed in range(3)]
    options = {"lossless": True} if form == "WEBP" else {}
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=0, **options)
    return file.getvalue()


@pytest.mark.parametrize("shared", [(), (Flip(),), (Adjust(brightness=1.2),)])
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_each_output_is_what_its_operations_alone_would_make(form: str, shared: Sequence[Operation]) -> None:
    source = encode(photograph(), form)
    results = process_outputs(source, shared, EACH)
    assert list(results) == list(EACH)
    for name, steps in EACH.items():
        assert results[name] == process(source, (*shared, *steps)), name


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_outputs_of_an_animation_keep_its_frames_where_their_format_can(form: str) -> None:
    source = animation(form)
    outputs = {name: EACH[name] for name in ("adjusted", "blurred-part", "resized", "marked", "end")}
    outputs |= {"still": (Convert(format="jpeg"),), "other": (Resize(width=32), Convert(format="webp"))}
    results = process_outputs(source, (Flip(),), outputs)
    assert {name: result.frames for name, result in results.items()} == dict.fromkeys(outputs, 3) | {"still": 1}
    for name, steps in outputs.items():
        assert results[name] == process(source, (Flip(), *steps)), name


def test_a_still_output_behind_an_animated_one_shows_the_first_frame() -> None:
    results = process_outputs(animation("PNG"), (), {"moving": (), "still": (Convert(format="tiff"),)})
    assert (pixels(decode(results["still"].data)) == pixels(photograph(64, 48, 0))).all()


@pytest.fixture
def reductions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """By how much images were reduced when they were decoded, one item each time."""
    seen = []

    def decode_picture(original: Original, limits: Limits, reduction: int = 1) -> Picture:
        seen.append(reduction)
        return still(original, limits, reduction)

    monkeypatch.setattr("darkroom_imaging.engine.still", decode_picture)
    return seen


def test_an_image_is_decoded_once_and_its_pipeline_done_once(
    monkeypatch: pytest.MonkeyPatch, reductions: list[int]
) -> None:
    pipelines = []
    original = Studio.run

    def run(self: Studio, picture: Picture, pipeline: Sequence[Operation], *, keep: bool = False) -> Picture:
        pipelines.append(pipeline)
        return original(self, picture, pipeline, keep=keep)

    monkeypatch.setattr(Studio, "run", run)
    process_outputs(encode(photograph()), (Blur(), Flip()), {"thumb": (Resize(width=80),), "web": ()})
    assert len(reductions) == 1
    assert pipelines == [(Blur(), Flip()), (Resize(width=80),), ()]


def test_a_thumbnail_beside_a_large_output_does_not_cost_that_its_pixels() -> None:
    source = encode(photograph(800, 600), quality=95)
    outputs = {
        "thumb": (Resize(width=100), Convert(format="png")),
        "medium": (Resize(width=400), Convert(format="png")),
        "soft": (Blur(radius=4), Convert(format="png")),
        "large": (Convert(format="png"),),
    }
    results = process_outputs(source, (), outputs)
    assert (pixels(decode(results["large"].data)) == pixels(decode(source))).all()
    for name, steps in outputs.items():
        alone = process(source, steps)
        assert psnr(pixels(decode(results[name].data)), pixels(decode(alone.data))) > 38, name


def test_outputs_that_are_all_small_are_made_of_an_image_decoded_small(reductions: list[int]) -> None:
    source = encode(photograph(800, 600))
    process_outputs(source, (), {"thumb": (Resize(width=50),), "icon": (Resize(width=20),)})
    process_outputs(source, (), {"thumb": (Resize(width=250),), "icon": (Resize(width=20),)})
    process_outputs(source, (), {"thumb": (Resize(width=20),), "all": ()})
    assert reductions == [8, 2, 1]


def test_the_format_is_that_of_the_output_then_of_the_pipeline_then_of_the_original() -> None:
    source = encode(photograph(), "PNG")
    outputs = {"own": (Convert(format="webp", quality=30),), "pipeline": ()}
    formats = {name: result.format for name, result in process_outputs(source, (), outputs).items()}
    assert formats == {"own": "webp", "pipeline": "png"}
    results = process_outputs(source, (Convert(format="jpeg", quality=20),), outputs)
    assert {name: result.format for name, result in results.items()} == {"own": "webp", "pipeline": "jpeg"}
    assert results["pipeline"] == process(source, (Convert(format="jpeg", quality=20),))


def test_outputs_may_differ_in_whether_they_keep_the_colour_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = encode(photograph(), "PNG", icc_profile=profile)
    outputs = {
        "plain": (Convert(format="png"),),
        "kept": (Convert(format="png", keep_profile=True),),
        "grey": (Grayscale(), Convert(format="jpeg")),
    }
    results = process_outputs(source, (Adjust(brightness=0.8),), outputs)
    assert list(results) == list(outputs)
    profiles = {name: "icc_profile" in decode(result.data).info for name, result in results.items()}
    assert profiles == {"plain": False, "kept": True, "grey": False}
    for name, steps in outputs.items():
        assert results[name] == process(source, (Adjust(brightness=0.8), *steps)), name


def test_what_is_wrong_with_one_output_names_it() -> None:
    with pytest.raises(BadOperationError, match=r"^thumb: The region \["):
        process_outputs(encode(photograph()), (), {"web": (), "thumb": (Crop(box=(9000, 0, 10, 10)),)})
    steps = (Resize(width=2000, enlarge=True),)
    with pytest.raises(ImageTooLargeError, match=r"^large: The resized image is too large"):
        process_outputs(encode(photograph()), (), {"large": steps}, limits=Limits(max_pixels=1_000_000))
    with pytest.raises(BadOperationError, match=r"^The region \["):
        process_outputs(encode(photograph()), (Crop(box=(9000, 0, 10, 10)),), {"web": ()})


def test_the_frames_of_each_output_are_held_against_the_limits() -> None:
    large = (Resize(width=1000, enlarge=True),)
    with pytest.raises(ImageTooLargeError, match=r"^large: The result"):
        process_outputs(animation("GIF"), (), {"small": (), "large": large}, limits=Limits(max_pixels=1_600_000))


def test_without_an_output_there_is_nothing_to_do() -> None:
    with pytest.raises(ValueError, match="at least one"):
        process_outputs(encode(Image.new("RGB", (8, 8))), (), {})


def test_outputs_are_read_as_they_were_written_down() -> None:
    outputs = {name: tuple(steps) for name, steps in list(EACH.items())[:8]}
    assert read_outputs(json.loads(json.dumps(write_outputs(outputs)))) == outputs


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ({}, "outputs: needs at least 1 item."),
        ({str(number): [] for number in range(9)}, "outputs: can have at most 8 items."),
        ({"web": [{"op": "blur", "radius": 0}]}, "outputs.web[0].radius: must be greater than 0."),
        ({"blur": [{"op": "paint"}]}, "outputs.blur[0]: unknown operation 'paint'"),
        ({"Web": []}, "has the wrong format"),
        ({"../web": []}, "has the wrong format"),
        ({"web\n": []}, "has the wrong format"),
        ({"a" * 33: []}, "has the wrong format"),
        ({"": []}, "has the wrong format"),
    ],
)
def test_outputs_that_cannot_be_made_are_refused_with_a_sentence(outputs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadOperationError) as error:
        read_outputs(outputs)
    assert sentence in str(error.value)


def test_the_images_that_watermarks_need_are_told_ahead() -> None:
    one, other = "1" * 32, "2" * 32
    marks = [Watermark(image_id=other), Blur(), Watermark(text="Darkroom"), Watermark(image_id=one)]
    assert overlay_ids([*marks, Watermark(image_id=other)]) == (other, one)
    assert overlay_ids(()) == ()
