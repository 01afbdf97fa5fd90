"""The words of our emails."""

import pytest
from darkroom_contracts.states import Counts
from darkroom_mailer.templates import Words, render
from darkroom_records.newsletter_calendar import Issue
from darkroom_records.statistics import Statistics


def results(counts: Counts, failures: list[tuple[str, str]], *, attached: bool = True, max_failures: int = 50) -> Words:
    return render(
        "results",
        counts=counts,
        failures=failures,
        max_failures=max_failures,
        attached=attached,
        archive_url="https://darkroom.example.org/archive/0",
        kept_until="22 November 2026, 12:00 UTC",
    )


@pytest.mark.parametrize(
    ("counts", "subject"),
    [
        (Counts(succeeded=1), "Your image is ready"),
        (Counts(succeeded=1200), "Your 1,200 images are ready"),
        (Counts(succeeded=10, failed=2), "10 of 12 images ready, 2 failed"),
        (Counts(failed=1), "Your image failed"),
        (Counts(failed=2), "All 2 images failed"),
        (Counts(succeeded=3, cancelled=2), "Cancelled: 3 of 5 images done"),
    ],
)
def test_the_subject_says_how_it_went(counts: Counts, subject: str) -> None:
    assert results(counts, []).subject == subject


def test_a_long_list_of_failures_is_cut_and_says_so() -> None:
    words = results(Counts(succeeded=1, failed=7), [(f"{number}.jpg", "Bad.") for number in range(7)], max_failures=5)
    assert "- 4.jpg: Bad." in words.text
    assert "5.jpg" not in words.text
    assert "and 2 more" in words.text
    assert "And 2 more" in words.html


def test_names_of_files_are_text_in_both_forms() -> None:
    words = results(Counts(failed=1), [("<script>x</script>\n\u202egpj.exe", "It's\r\nbad.")])
    assert "- <script>x</script> gpj.exe: It's bad." in words.text
    assert "<script>" not in words.html


def test_styles_are_in_the_elements_they_apply_to() -> None:
    words = results(Counts(succeeded=1), [])
    assert "<style" not in words.html
    assert 'style="' in words.html


@pytest.mark.parametrize("statistics", [Statistics(), Statistics(1, 1, 0), Statistics(12, 1034, 3)])
def test_the_newsletter_is_written_for_any_week(statistics: Statistics) -> None:
    url = "https://darkroom.example.org/unsubscribe/x"
    words = render(
        "newsletter",
        issue=Issue("2026-W47"),
        statistics=statistics,
        unsubscribe_url=url,
        home="https://darkroom.example.org",
    )
    assert words.subject == "The week in the Darkroom, 2026-W47"
    assert url in words.text
    assert url in words.html
    assert f"{statistics.images:,}" in words.text
