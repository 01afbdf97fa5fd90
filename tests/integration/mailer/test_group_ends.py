"""What the group store notes for the mailer: groups whose results are to be emailed, and the statistics of the week."""

from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import Ending, GroupStore, NewImage, Outcome, Terms, Work
from darkroom_records.statistics import Statistics, StatisticsStore, this_week
from redis import Redis
from support.redis_keys import groups_to_notify

GROUP = new_group_id()


def create(groups: GroupStore, *images: NewImage, notify: bool = True) -> None:
    groups.create(GROUP, images, [{"op": "blur"}], Terms(email=Address("ada@example.org"), notify=notify))


def begin(groups: GroupStore, index: int) -> Work:
    work = groups.begin(GROUP, index, worker="images@a/1", delivery=0)
    assert work is not None
    return work


def test_the_end_of_the_last_image_notifies_once(groups: GroupStore, redis: Redis) -> None:
    create(groups, NewImage("one.jpg"), NewImage("two.jpg"))
    first, second = begin(groups, 0), begin(groups, 1)
    assert groups.succeed(first, Outcome()).effects is Ending.IMAGE_ENDED
    assert groups_to_notify(redis) == []
    assert groups.fail(second, "It is damaged.", ProblemCode.DAMAGED_IMAGE).effects is Ending.GROUP_ENDED_NOTIFY
    assert groups_to_notify(redis) == [GROUP]
    assert groups.fail(second, "It is damaged.", ProblemCode.DAMAGED_IMAGE).effects is Ending.NONE


def test_a_group_that_did_not_ask_notifies_nobody(groups: GroupStore, redis: Redis) -> None:
    create(groups, NewImage("one.jpg"), notify=False)
    assert groups.succeed(begin(groups, 0), Outcome()).effects is Ending.IMAGE_ENDED
    assert groups_to_notify(redis) == []


def test_a_group_that_is_refused_as_a_whole_notifies(groups: GroupStore, redis: Redis) -> None:
    create(groups, NewImage("one.jpg", error="It is no image."))
    assert groups_to_notify(redis) == [GROUP]


def test_a_cancelled_group_notifies_nobody(groups: GroupStore, redis: Redis) -> None:
    create(groups, NewImage("one.jpg"), NewImage("two.jpg"))
    groups.succeed(begin(groups, 0), Outcome())
    groups.cancel(GROUP)
    assert groups_to_notify(redis) == []


def test_a_deleted_group_notifies_nobody(groups: GroupStore, redis: Redis) -> None:
    create(groups, NewImage("one.jpg", error="It is no image."))
    groups.delete(GROUP)
    assert groups_to_notify(redis) == []


def test_the_week_counts_groups_images_and_failures(groups: GroupStore, redis: Redis) -> None:
    weeks = {this_week()}
    create(groups, NewImage("one.jpg"), NewImage("two.jpg"), NewImage("three.jpg", error="It is no image."))
    groups.succeed(begin(groups, 0), Outcome())
    work = begin(groups, 1)
    groups.fail(work, "It is damaged.", ProblemCode.DAMAGED_IMAGE)
    groups.fail(work, "It is damaged.", ProblemCode.DAMAGED_IMAGE)
    weeks.add(this_week())  # the test may run across Sunday's midnight
    counted = [StatisticsStore(redis).read(week) for week in weeks]
    assert sum(statistics.groups for statistics in counted) == 1
    assert sum(statistics.images for statistics in counted) == 1
    assert sum(statistics.failures for statistics in counted) == 2


def test_a_week_without_work_has_no_statistics(redis: Redis) -> None:
    assert StatisticsStore(redis).read(this_week()) == Statistics()
