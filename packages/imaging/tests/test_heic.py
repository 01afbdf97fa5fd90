"""HEIC images are read where the decoder of the extra ``heic`` is installed."""

import io

import pytest
from darkroom_contracts.formats import ImageFormat
from darkroom_imaging.engine import process
from darkroom_imaging.errors import DamagedImageError
from darkroom_imaging.inspection import inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Convert, Resize
from PIL import Image
from support.pictures import decode

pillow_heif = pytest.importorskip("pillow_heif", reason="the optional decoder of HEIC is not installed")


def heic(image: Image.Image, **options: object) -> bytes:
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    image.save(file, "HEIF", **options)
    return file.getvalue()


PICTURE = Image.radial_gradient("L").resize((120, 80)).convert("RGB")


def test_a_heic_is_taken_at_the_door_and_comes_out_as_a_jpeg() -> None:
    source = heic(PICTURE)
    header = inspect(io.BytesIO(source), Limits())
    assert (header.format, header.width, header.height) == (ImageFormat.HEIC, 120, 80)
    result = process(source)
    assert (result.format, decode(result.data).size) == (ImageFormat.JPEG, (120, 80))


def test_a_heic_goes_through_a_pipeline_with_its_opacity() -> None:
    clear = PICTURE.copy()
    clear.putalpha(100)
    result = process(heic(clear), (Resize(width=60), Convert(format="png")))
    image = decode(result.data)
    assert (image.size, image.mode) == ((60, 40), "RGBA")


def test_a_heic_that_its_metadata_turns_is_turned_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(process(heic(PICTURE, exif=exif.tobytes())).data).size == (80, 120)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_heic_that_is_cut_off_is_damaged(share: float) -> None:
    source = heic(PICTURE)
    for gate in (lambda data: inspect(io.BytesIO(data), Limits()), process):
        with pytest.raises(DamagedImageError):
            gate(source[: int(len(source) * share)])
