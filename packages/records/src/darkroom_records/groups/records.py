"""What the group store takes in and gives out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import IntFlag
from typing import Any

from darkroom_contracts.formats import Metadata
from darkroom_contracts.mail import Address
from darkroom_contracts.messages import DeliverDueWebhooks, DeliverWebhook, Message, SendResults
from darkroom_contracts.pipelines import PipelineData
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import Counts, GroupState, ImageState, WebhookState, group_state

from darkroom_records.file_names import in_folder, safe_stem, with_extension
from darkroom_records.groups.turns import NO_TURNS, SendDated, Turns


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image as it is taken in.

    Args:
        name: the file name its owner gave it, for people; it is never part of a path.
        pipeline: its own operations, where they are not the group's.
        error: why it cannot be worked on at all; such an image has failed from the start.
        code: the same for programs.
    """

    name: str
    pipeline: PipelineData | None = None
    error: str | None = None
    code: ProblemCode | None = None
    url: str | None = None
    """Where its original must be fetched from. It is forgotten once that was done."""
    image_id: str | None = None
    """The upload that its original is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked for a group as a whole.

    Args:
        outputs: the operations of each named result, done after those of the pipeline. Without any, an image has one
            result, without a name.
        metadata: what of the originals' metadata the results carry.
        email: where its results can be mailed to.
        notify: whether they are mailed by themselves when it ends, unless it was cancelled.
        owner: whose it is; nobody's in particular where that is not known.
        keep_for: seconds from its end for which its results are kept, where that is not left to the server.
        deadline: the Unix time at which whatever has not ended expires.
        request_id: of the request that it was taken in with.
        webhook_url: where its end is told.
        webhook_images: whether the end of each image is told there, too.
    """

    outputs: Mapping[str, PipelineData] = field(default_factory=dict)
    metadata: Metadata = Metadata.NONE
    email: Address | None = None
    notify: bool = False
    owner: str | None = None
    keep_for: int | None = None
    deadline: float | None = None
    request_id: str | None = None
    webhook_url: str | None = None
    webhook_images: bool = False

    def to_record(self) -> dict[str, str]:
        """The members of the group's Redis hash. What is not asked for has none."""
        members = {
            "outputs": json.dumps(dict(self.outputs)) if self.outputs else "",
            "metadata": "" if self.metadata is Metadata.NONE else self.metadata.value,
            "email": self.email,
            "notify": "yes" if self.notify else "",
            "owner": self.owner,
            "keep_for": "" if self.keep_for is None else str(self.keep_for),
            "deadline": "" if self.deadline is None else repr(self.deadline),
            "request_id": self.request_id,
            "webhook_url": self.webhook_url,
            "webhook_images": "yes" if self.webhook_images else "",
        }
        return {name: text for name, text in members.items() if text}

    @classmethod
    def members_of(cls, record: Mapping[str, str]) -> dict[str, Any]:
        """The arguments for these terms that a group's Redis hash holds."""
        return {
            "outputs": json.loads(record.get("outputs") or "{}"),
            "metadata": Metadata(record.get("metadata") or Metadata.NONE),
            "email": Address(record["email"]) if record.get("email") else None,
            "notify": "notify" in record,
            "owner": record.get("owner"),
            "keep_for": int(record["keep_for"]) if "keep_for" in record else None,
            "deadline": float(record["deadline"]) if "deadline" in record else None,
            "request_id": record.get("request_id") or None,
            "webhook_url": record.get("webhook_url"),
            "webhook_images": "webhook_images" in record,
        }


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """What is known of one result: its format, its width and height in pixels, its size and the digest of its bytes."""

    format: str
    width: int
    height: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an image: the facts of its result, or of each of its outputs, or the reason why there is none."""

    error: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    code: ProblemCode | None = None
    outputs: Mapping[str, ResultFacts] = field(default_factory=dict)
    began_at: float | None = None
    """Unix time at which the latest attempt began."""
    ended_at: float | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    """Seconds that each step of that attempt took, in their order."""
    original: str | None = None
    """The SHA-256 of the original, as it was processed."""
    overlays: Mapping[str, str] = field(default_factory=dict)
    """The SHA-256 of each image that a watermark showed, by its ``image_id``."""
    engine: str | None = None
    """The versions that made the results: ``name=version``, separated by spaces. A record has a thousand of these."""

    @property
    def engine_versions(self) -> Mapping[str, str]:
        """The same by name."""
        pairs = (part.partition("=") for part in (self.engine or "").split())
        return {name: number for name, _, number in pairs}

    @classmethod
    def of(cls, results: Mapping[str, ResultFacts], **others: Any) -> "Outcome":
        """The outcome of an image with these results, by the names of its outputs; the one without outputs has none."""
        if set(results) == {""}:
            return cls(**asdict(results[""]), **others)
        return cls(outputs=results, **others)

    @property
    def results(self) -> Mapping[str, ResultFacts]:
        """The facts of each result by the name of its output, or of the only one by an empty name."""
        if self.format is None:
            return self.outputs
        facts = ResultFacts(self.format, self.width or 0, self.height or 0, self.bytes or 0, self.sha256 or "")
        return {"": facts}

    def to_json(self) -> str:
        members = {field.name: getattr(self, field.name) for field in fields(self)}
        members["outputs"] = {name: asdict(facts) for name, facts in self.outputs.items()}
        members["steps"] = dict(self.steps)
        members["overlays"] = dict(self.overlays)
        return json.dumps({name: value for name, value in members.items() if value not in (None, {})})

    @classmethod
    def from_json(cls, text: str) -> "Outcome":
        """The outcome that was written down, by this version or by one that had other members."""
        known = {field.name for field in fields(cls)}
        members = {name: value for name, value in json.loads(text).items() if name in known}
        code = members.pop("code", None)
        is_known = code in list(ProblemCode)  # the version after this one may have more
        outputs = {name: ResultFacts(**facts) for name, facts in members.pop("outputs", {}).items()}
        return cls(**members, outputs=outputs, code=ProblemCode(code) if is_known else None)


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a group, as it stands."""

    index: int
    name: str
    state: ImageState
    pipeline: PipelineData | None = None
    outcome: Outcome = Outcome()
    stem: str = ""
    """The path of its result without the extension: the same in the archive, its manifest and single downloads."""
    image_id: str | None = None
    """The upload that its original was, where it was sent ahead."""

    @property
    def files(self) -> Mapping[str, str]:
        """The path of each of its results in the archive by the name of the output, once there are any."""
        if self.state is not ImageState.SUCCEEDED:
            return {}
        return {
            name: in_folder(name, with_extension(self.stem, facts.format))
            for name, facts in self.outcome.results.items()
        }


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """How a group's webhook stands.

    Args:
        state: what became of it.
        attempts: how often it was sent.
        error: why the latest attempt did not deliver it.
        code: the same for programs.
        due_at: the Unix time of the next attempt, where there is one.
    """

    state: WebhookState
    attempts: int = 0
    error: str | None = None
    code: ProblemCode | None = None
    due_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Terms):
    """A group, as it stands. Times are Unix seconds; ``version`` grows with each change."""

    group_id: str
    version: int
    counts: Counts
    created_at: float
    published_at: float
    finished_at: float | None
    pipeline: PipelineData
    images: tuple[Image, ...] = field(default=(), repr=False)
    run: int = 0
    """How often it was run again."""
    email_error: str | None = None
    """Why its results were not mailed by themselves at its latest end, though that was asked for."""
    recovering: int = 0
    """Images whose worker was lost, and which no other one has begun yet."""
    webhook: WebhookStatus | None = None
    """How the webhook of its latest end stands, or of the end to come. None where it has no webhook."""

    @property
    def state(self) -> GroupState:
        return group_state(self.counts)

    def expires_at(self, keep_results: float) -> float | None:
        """Return when its results are deleted, or None while it runs.

        Args:
            keep_results: seconds for which results are kept where the group does not say so itself.
        """
        if self.finished_at is None:
            return None
        return self.finished_at + (keep_results if self.keep_for is None else self.keep_for)


@dataclass(frozen=True, slots=True)
class OwnedGroups:
    """A page of an owner's groups, the newest first, and where the next page begins, if there is one."""

    groups: tuple[Group, ...]
    next: float | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """The latest attempt at an image that has not ended: its number, counted from 1, and the Unix time it began."""

    number: int
    began_at: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an image has come: it, its group without images, and the attempt that runs."""

    group: Group
    image: Image
    attempt: Attempt | None


@dataclass(frozen=True, slots=True)
class Work:
    """An image that was begun, and what is to be done: which attempt this is, counted from 1 and, for each time that
    the group was run again, from 100 more."""

    group_id: str
    index: int
    attempt: int
    pipeline: PipelineData
    outputs: Mapping[str, PipelineData] = field(default_factory=dict)
    metadata: Metadata = Metadata.NONE


@dataclass(frozen=True, slots=True)
class Fetch:
    """An image whose original someone has begun to fetch from its URL. Attempts are counted as those of ``Work``."""

    group_id: str
    index: int
    attempt: int
    url: str


class Ending(IntFlag):
    """What the end of an image brought about."""

    NONE = 0
    """This attempt is not the latest any more, and nothing was changed. The one value that is false."""
    IMAGE_ENDED = 1
    GROUP_ENDED_NOTIFY = 2
    """It was the group's last, and the group's results are to be mailed."""
    IMAGE_WEBHOOK = 4
    """A webhook that tells of this image is to be delivered."""
    GROUP_WEBHOOK = 8
    """It was the group's last, and the group's webhook is to be delivered."""

    def messages(self, group_id: str, index: int | None = None) -> tuple[Message, ...]:
        """The messages that wake whoever has something to do now. If one is lost, the records say the same.

        Args:
            group_id: the group.
            index: the image that ended, or None if there were several.
        """
        messages: list[Message] = []
        if Ending.GROUP_ENDED_NOTIFY in self:
            messages.append(SendResults(group_id))
        if Ending.IMAGE_WEBHOOK in self:
            messages.append(DeliverDueWebhooks() if index is None else DeliverWebhook(group_id, index=index))
        if Ending.GROUP_WEBHOOK in self:
            messages.append(DeliverWebhook(group_id))
        return tuple(messages)


@dataclass(frozen=True, slots=True)
class Ended:
    """What the end of an image brought about, and the images whose turn it is now. False if nothing was changed."""

    effects: Ending
    turns: Turns = NO_TURNS

    def __bool__(self) -> bool:
        return bool(self.effects)

    def messages(self, group_id: str, index: int) -> tuple[Message, ...]:
        """The messages that wake whoever has something to do now, beside those of the turns."""
        return self.effects.messages(group_id, index)

    def announce(self, group_id: str, index: int, send: Callable[[Message], object], send_all: SendDated) -> None:
        """Send all messages, those of the turns first, since others wait for them. The records say the same.

        Args:
            group_id: the group.
            index: the image that ended.
            send: sends a message.
            send_all: sends those of the turns.
        """
        self.turns.send(send_all)
        for message in self.messages(group_id, index):
            send(message)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What a cancelled group had come to: images that had ended, that had not begun, and those in between."""

    group_id: str
    finished: int
    never_started: int
    aborted: tuple[int, ...]
    ending: Ending = Ending.IMAGE_ENDED
    turns: Turns = NO_TURNS
    """Images of the same owner whose turn it is now."""

    def announce(self, send: Callable[[Message], object], send_all: SendDated) -> None:
        """Send all messages, as ``Ended.announce`` does."""
        self.turns.send(send_all)
        for message in self.ending.messages(self.group_id):
            send(message)


@dataclass(frozen=True, slots=True)
class Erased:
    """What went with a group's record: its emails, sent or not, and its webhooks that were still to be delivered."""

    emails: int = 0
    webhooks: int = 0


@dataclass(frozen=True, slots=True)
class PendingImages:
    """Images of a group that run again, or that are to be sent again, and the Unix time that their messages carry."""

    group_id: str
    indices: tuple[int, ...]
    """Those to be processed."""
    published_at: float
    request_id: str | None = None
    to_fetch: tuple[int, ...] = ()
    """Those whose originals must be fetched first."""
    turns: Turns = NO_TURNS
    """Images of the same owner whose turn it is now."""


_ORPHANED = "|"
"""Ends an attempt that names no worker, since it was lost."""


def read_group(
    group_id: str, record: Mapping[str, str], attempts: Mapping[str, str], images: tuple[Image, ...]
) -> Group:
    """The group as its Redis hash says, and that of its attempts."""
    finished_at = record.get("finished_at")
    orphaned = sum(attempt.endswith(_ORPHANED) for attempt in attempts.values())
    return Group(
        group_id=group_id,
        version=int(record["version"]),
        counts=Counts(**{state: int(record.get(state, 0)) for state in ImageState}),
        created_at=float(record["created_at"]),
        published_at=float(record["published_at"]),
        finished_at=float(finished_at) if finished_at else None,
        pipeline=json.loads(record["pipeline"]),
        run=int(record.get("run", 0)),
        email_error=record.get("email_error"),
        recovering=0 if finished_at else orphaned,
        images=images,
        webhook=_webhook(record),
        **Terms.members_of(record),
    )


def read_attempt(text: str) -> Attempt:
    """The attempt as its Redis hash says."""
    number, _, began_at, *_ = text.split("|")
    return Attempt(int(number), float(began_at))


def _webhook(record: Mapping[str, str]) -> WebhookStatus | None:
    if "webhook_url" not in record:
        return None
    text = record.get(f"webhook:{record.get('run', 0)}")
    if text is None:  # it has not ended yet
        return WebhookStatus(WebhookState.DISABLED if "webhook_off" in record else WebhookState.PENDING)
    known: dict[str, Any] = json.loads(text)
    is_due = known["state"] == WebhookState.PENDING
    code = known.get("code")
    return WebhookStatus(
        state=WebhookState(known["state"]),
        attempts=int(known["attempts"]),
        error=known.get("error"),
        code=ProblemCode(code) if code in list(ProblemCode) else None,
        due_at=float(known["due_at"]) if is_due else None,
    )


def read_images(items: Mapping[str, str], states: Mapping[str, str], outcomes: Mapping[str, str]) -> tuple[Image, ...]:
    """The images as the three Redis hashes beside the group's say, in the order of their indices."""
    return tuple(_image(index, items[index], states[index], outcomes.get(index)) for index in sorted(items, key=int))


def _image(index: str, item: str, state: str, outcome: str | None) -> Image:
    known: dict[str, Any] = json.loads(item)
    return Image(
        index=int(index),
        name=known["name"],
        state=ImageState(state),
        pipeline=known.get("pipeline"),
        outcome=Outcome.from_json(outcome) if outcome else Outcome(),
        stem=known.get("stem") or safe_stem(known["name"], int(index)),
        image_id=known.get("image_id"),
    )
