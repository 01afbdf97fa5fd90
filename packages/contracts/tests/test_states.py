"""A group's state follows from the states of its images."""

import pytest
from darkroom_contracts.states import Counts, GroupState, group_state


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (Counts(queued=3), GroupState.QUEUED),
        (Counts(queued=2, processing=1), GroupState.PROCESSING),
        (Counts(queued=2, succeeded=1), GroupState.PROCESSING),
        (Counts(processing=1, failed=2), GroupState.PROCESSING),
        (Counts(succeeded=3), GroupState.COMPLETED),
        (Counts(succeeded=2, failed=1), GroupState.PARTIAL),
        (Counts(failed=3), GroupState.FAILED),
        (Counts(succeeded=1, failed=1, cancelled=1), GroupState.CANCELLED),
        (Counts(cancelled=3), GroupState.CANCELLED),
        (Counts(cancelled=2, queued=1), GroupState.PROCESSING),
    ],
)
def test_the_state_of_a_group(counts: Counts, state: GroupState) -> None:
    assert group_state(counts) is state
