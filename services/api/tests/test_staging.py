"""Images on their way in, without a request."""

from contextlib import closing
from pathlib import Path

import pytest
from darkroom_api.http.problems import Problem
from darkroom_api.settings import ApiSettings
from darkroom_api.uploads.staging import Staging, Upload
from darkroom_contracts.problems import ProblemCode
from darkroom_records.blobs import LocalBlobStorage
from support.api_cases import files_in, png


@pytest.fixture
def storage(tmp_path: Path) -> LocalBlobStorage:
    return LocalBlobStorage(tmp_path)


def staging(storage: LocalBlobStorage, **limits: int) -> Staging:
    return Staging(storage, ApiSettings.model_validate(limits))


def test_a_committed_image_is_kept_and_every_other_is_forgotten(storage: LocalBlobStorage, tmp_path: Path) -> None:
    images = staging(storage)
    kept, forgotten = images.begin(), images.begin()
    for image in (kept, forgotten):
        Upload(image).write(png())
        image.complete()
        assert image.unfit is None
    kept.commit("groups/one/0")
    images.close()
    with storage.open("groups/one/0") as file:
        assert file.read() == png()
    assert len(files_in(tmp_path)) == 1


def test_an_image_that_is_too_large_is_unfit_and_is_not_written(storage: LocalBlobStorage, tmp_path: Path) -> None:
    with closing(staging(storage, max_image_bytes=10)) as images:
        image = images.begin()
        image.write(b"x" * 8)
        image.write(b"x" * 8)
        image.complete()
        assert image.size == 16
        assert image.unfit is not None
        assert image.unfit.code is ProblemCode.IMAGE_TOO_LARGE
        assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 8


def test_there_are_no_more_images_than_the_settings_allow(storage: LocalBlobStorage) -> None:
    with closing(staging(storage, max_images=1)) as images:
        images.begin()
        with pytest.raises(Problem, match="the limit is 1 per request") as refusal:
            images.begin()
    assert refusal.value.problem_code is ProblemCode.TOO_MANY_IMAGES
