"""Several results of one image: stored each, recorded together."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from darkroom_contracts.formats import Metadata
from darkroom_contracts.messages import ProcessImage
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState, ImageState
from darkroom_records.blobs import group_blobs, overlay_blob, result_blob
from darkroom_records.groups import Image, ResultFacts, Terms
from darkroom_worker.storage_waits import STORAGE_FAILURES
from PIL import ExifTags
from PIL import Image as Pillow
from support.attempts import GROUP, Bench
from support.pictures import decode, encode, photograph

THUMB = {"op": "resize", "width": 32}
WEB = {"op": "convert", "format": "webp"}
TWO = Terms(outputs={"thumb": [THUMB], "web": [WEB]})
MARK = "0123456789abcdef0123456789abcdef"
RED = (255, 0, 0)


def stored(bench: Bench, output: str, index: int = 0) -> bytes:
    with bench.storage.open(result_blob(GROUP, index, output)) as blob:
        return blob.read()


def facts(data: bytes, image_format: str) -> ResultFacts:
    width, height = decode(data).size
    return ResultFacts(image_format, width, height, len(data), hashlib.sha256(data).hexdigest())


def mark_everywhere(image_id: str = MARK) -> dict[str, Any]:
    return {"op": "watermark", "image_id": image_id, "position": "center", "scale": 1.0, "opacity": 1.0}


def is_marked(data: bytes) -> bool:
    picture = decode(data).convert("RGB")
    pixel = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(pixel, tuple)
    return all(abs(seen - true) < 10 for seen, true in zip(pixel, RED, strict=True))


def store_mark(bench: Bench) -> None:
    bench.storage.put(overlay_blob(GROUP, MARK), encode(Pillow.new("RGB", (100, 75), RED), "PNG"))


def assert_succeeded_with_both(bench: Bench, image: Image) -> None:
    assert image.state is ImageState.SUCCEEDED
    assert image.outcome.results == {
        "thumb": facts(stored(bench, "thumb"), "jpeg"),
        "web": facts(stored(bench, "web"), "webp"),
    }


def test_each_output_is_stored_and_recorded_under_its_name(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, pipeline=[{"op": "resize", "width": 160}], terms=TWO)
    image = bench.run()
    assert_succeeded_with_both(bench, image)
    assert decode(stored(bench, "thumb")).size == (32, 24)
    assert decode(stored(bench, "web")).size == (160, 120), "the operations are done before those of each output"
    assert bench.groups.read(GROUP).state is GroupState.COMPLETED


def test_an_output_that_fails_fails_the_image_and_is_named(bench: Bench, jpeg: bytes) -> None:
    beyond = {"op": "crop", "box": [5000, 5000, 10, 10]}
    bench.create(jpeg, terms=Terms(outputs={"thumb": [THUMB], "part": [beyond]}))
    image = bench.run()
    assert (image.state, image.outcome.code) == (ImageState.FAILED, ProblemCode.OPERATION_FAILED)
    assert (image.outcome.error or "").startswith("part: ")
    assert image.outcome.results == {}
    assert bench.groups.read(GROUP).state is GroupState.FAILED


def test_outputs_with_a_name_or_an_operation_that_this_worker_does_not_know_fail_the_image(
    bench: Bench, jpeg: bytes
) -> None:
    bench.create(jpeg, terms=Terms(outputs={"thumb": [{"op": "sparkle"}]}))
    image = bench.run()
    assert (image.state, image.outcome.code) == (ImageState.FAILED, ProblemCode.OPERATION_FAILED)
    assert "sparkle" in (image.outcome.error or "")


def test_an_image_waits_with_all_its_outputs_while_storage_fails_one(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, terms=TWO)
    obstacle = bench.root / result_blob(GROUP, 0, "web")
    obstacle.parent.parent.mkdir(parents=True)
    obstacle.parent.touch()
    image = bench.run()
    assert stored(bench, "thumb"), "the first one is stored"
    assert (image.state, image.outcome.results) == (ImageState.QUEUED, {}), "and not to be had before the last one is"
    assert bench.sent.pop() == (ProcessImage(GROUP, 0), 1, {STORAGE_FAILURES: 1})
    obstacle.parent.unlink()
    assert_succeeded_with_both(bench, bench.run())


def test_what_a_lost_attempt_left_of_its_outputs_is_replaced(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, terms=TWO)
    bench.groups.begin(GROUP, 0, worker="images@lost/1", delivery=0)
    bench.storage.put(result_blob(GROUP, 0, "thumb"), b"of another version")
    assert_succeeded_with_both(bench, bench.run())


def test_a_failed_image_that_is_run_again_gets_all_its_outputs(bench: Bench, jpeg: bytes) -> None:
    bench.create(None, jpeg, terms=TWO)
    assert bench.run(0).outcome.code is ProblemCode.ORIGINAL_MISSING
    assert bench.run(1).state is ImageState.SUCCEEDED
    bench.store(0, jpeg)
    assert bench.groups.retry(GROUP).indices == (0,)
    assert_succeeded_with_both(bench, bench.run(0))


@pytest.mark.parametrize("outputs", [{"thumb": [THUMB]}, {"thumb": [THUMB], "part": [{"op": "sparkle"}]}])
def test_nothing_of_any_output_is_left_of_a_group_that_was_erased(
    bench: Bench, jpeg: bytes, outputs: dict[str, list[dict[str, object]]]
) -> None:
    bench.create(jpeg, pipeline=[mark_everywhere()], terms=Terms(outputs=outputs))
    store_mark(bench)
    bench.run()
    bench.groups.delete(GROUP)
    bench.storage.delete_all(group_blobs(GROUP))
    assert [path for path in bench.root.rglob("*") if path.is_file() and "incoming" not in path.parts] == []


def test_every_output_carries_the_metadata_that_was_asked_for(bench: Bench) -> None:
    tags: dict[int, str] = {ExifTags.Base.Copyright: "(c) Ada", ExifTags.Base.Make: "Camera"}
    exif = Pillow.Exif()
    exif.update(tags)
    bench.create(encode(photograph(), exif=exif), terms=replace(TWO, metadata=Metadata.COPYRIGHT))
    assert bench.run().state is ImageState.SUCCEEDED
    for output in TWO.outputs:
        kept = decode(stored(bench, output)).getexif()
        assert {tag: kept[tag] for tag in tags if tag in kept} == {ExifTags.Base.Copyright: "(c) Ada"}


def test_results_carry_no_metadata_unless_it_was_asked_for(bench: Bench) -> None:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Copyright] = "(c) Ada"
    bench.create(encode(photograph(), exif=exif), terms=TWO)
    assert bench.run().state is ImageState.SUCCEEDED
    assert not any(decode(stored(bench, output)).getexif() for output in TWO.outputs)


def test_a_watermark_shows_the_upload_that_the_group_holds(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, terms=Terms(outputs={"plain": [WEB], "marked": [mark_everywhere(), WEB]}))
    store_mark(bench)
    assert bench.run().state is ImageState.SUCCEEDED
    assert is_marked(stored(bench, "marked"))
    assert not is_marked(stored(bench, "plain"))


def test_a_watermark_of_the_operations_is_on_every_output(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, pipeline=[mark_everywhere()], terms=TWO)
    store_mark(bench)
    assert bench.run().state is ImageState.SUCCEEDED
    assert is_marked(stored(bench, "thumb"))
    assert is_marked(stored(bench, "web"))


def test_an_image_fails_when_the_upload_of_its_watermark_is_gone(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, pipeline=[mark_everywhere()])
    image = bench.run()
    assert (image.state, image.outcome.code) == (ImageState.FAILED, ProblemCode.OPERATION_FAILED)
    assert "image of the watermark" in (image.outcome.error or "")


def test_an_image_waits_while_storage_does_not_give_out_its_watermark(bench: Bench, jpeg: bytes) -> None:
    bench.create(jpeg, pipeline=[mark_everywhere()])
    (bench.root / overlay_blob(GROUP, MARK)).mkdir(parents=True)
    assert bench.run().state is ImageState.QUEUED
    assert bench.sent == [(ProcessImage(GROUP, 0), 1, {STORAGE_FAILURES: 1})]
