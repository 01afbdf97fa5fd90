"""Images that the items of a request name and do not hold: uploads, and the originals of earlier groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darkroom_contracts.ids import is_group_id
from darkroom_records.blobs import original_blob, upload_blob
from darkroom_records.uploads import Upload

from darkroom_api.groups.item_models import EarlierItem, ImageItem, image_id_of
from darkroom_api.groups.originals import (
    LinkedOriginal,
    MissingOriginal,
    Original,
    OriginalMissingError,
    UploadNotFoundError,
)
from darkroom_api.services import Services


@dataclass(frozen=True, slots=True)
class References:
    """All images that a request names, found in a few round trips however many they are."""

    services: Services
    uploads: Mapping[str, Upload]
    earlier_names: Mapping[tuple[str, int], str]

    @classmethod
    def of(cls, items: Sequence[str | ImageItem], services: Services, owner: str | None) -> "References":
        """Look up what these items name.

        Args:
            items: of a request.
            services: what is worked with.
            owner: whose uploads may be used, beside those of everybody.
        """
        uploads = [image_id for item in items if (image_id := image_id_of(item))]
        earlier = [(item.group_id, item.index) for item in items if isinstance(item, EarlierItem)]
        return cls(
            services,
            services.uploads.find(uploads, owner=owner, keep_for=services.settings.keep_uploads),
            services.groups.names_of_originals(place for place in earlier if is_group_id(place[0])),
        )

    def upload(self, image_id: str) -> tuple[Original, str | None]:
        """An upload, and its name if it has one."""
        identity = f"upload:{image_id}"
        found = self.uploads.get(image_id)
        if found is None:
            reason = UploadNotFoundError("No such upload. It may have been dropped because nothing used it.")
            return MissingOriginal(identity, reason), None
        return LinkedOriginal(identity, self.services.storage, upload_blob(image_id), image_id), found.name

    def earlier(self, group_id: str, index: int) -> tuple[Original, str | None]:
        """The original of an image of an earlier group, and its name."""
        identity = f"original:{group_id}/{index}"
        name = self.earlier_names.get((group_id, index))
        if name is None:
            reason = OriginalMissingError("The original is not available. Its group may have expired.")
            return MissingOriginal(identity, reason), None
        return LinkedOriginal(identity, self.services.storage, original_blob(group_id, index)), name
