"""File names of strangers."""

import pytest
from darkroom_contracts.formats import ImageFormat
from darkroom_records import file_names as names
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("Grüße aus Köln.jpg", "Grüße aus Köln.jpg"),
        ("写真.png", "写真.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\cat.jpg", "cat.jpg"),
        ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("\ud800.jpg", "jpg"),
        ("..", "image-3"),
        ("   ", "image-3"),
        ("", "image-3"),
        (None, "image-3"),
        ("x" * 500, "x" * 200),
        ("x" * 500 + ".jpeg", "x" * 195 + ".jpeg"),
        ("2024/sea/a.jpg", "2024/sea/a.jpg"),
        ("2024\\sea\\a.jpg", "2024/sea/a.jpg"),
        ("./2024//sea/./a.jpg", "2024/sea/a.jpg"),
        ("2024/../../a.jpg", "a.jpg"),
        ("/home/ada/a.jpg", "a.jpg"),
        ("C:a.jpg", "C:a.jpg"),
        ("c:photos/a.jpg", "a.jpg"),
        ("\\\\server\\share\\a.jpg", "a.jpg"),
        ("2024/", "2024/image-3"),
        ("👩‍👧.png", "👩‍👧.png"),
        ("می‌خواهم.png", "می‌خواهم.png"),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f.png",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f.png",
        ),
        ("\u200d", "image-3"),
    ],
)
def test_what_people_call_a_file_is_kept_where_it_can_be(given_name: str | None, kept: str) -> None:
    assert names.clean(given_name, 3) == kept


@given(st.text())
def test_a_cleaned_name_is_printable_and_no_way_out(text: str) -> None:
    name = names.clean(text, 0)
    assert not set("\\\r\n\0") & set(name)
    assert not {"", ".", ".."} & set(name.split("/"))
    assert names.clean(name, 0) == name
    name.encode()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("cat.jpg", "cat"),
        ("cat.JPEG", "cat"),
        ("cat", "cat"),
        ("v1.2 final", "v1.2 final"),
        ("scan.1", "scan.1"),
        ("scan.2", "scan.2"),
        ("archive.tar.png", "archive.tar"),
        ("2024/sea.d/a.b.jpg", "2024/sea.d/a.b"),
        (".jpg", "jpg"),
        ("nul/con.png", "_nul/_con"),
        ("a/CON .txt", "a/_CON .txt"),
        ("com¹.png", "_com¹"),
        ("2024. /a. .png", "2024/a"),
        ("a<b/c:d|e?.png", "a_b/c_d_e_"),
        ("manifest.json/a.png", "_manifest.json/a"),
        ("../../etc/passwd", "passwd"),
        ("d/" * 200 + "a.png", "a"),
        ("日本" * 100 + ".png", "日本" * 30),
    ],
)
def test_the_path_of_a_result_is_safe_on_every_system(name: str, stem: str) -> None:
    assert names.safe_stem(name, 0) == stem


@given(st.text(alphabet="aA./\\: .con\u200d1é\0", max_size=60))
def test_no_name_leads_out_of_its_folder(text: str) -> None:
    parts = names.safe_stem(text, 7).split("/")
    assert all(part == part.strip(". ") and part for part in parts)
    assert not set(':\\\0"<>|?*') & set("".join(parts))
    assert all(len(part.encode()) <= 181 for part in parts)


def test_files_that_would_overwrite_each_other_are_numbered() -> None:
    stems = ["a", "A", "a (2)", "Sea/a", "sea/A", "x", "x.png/y", "é", "e\u0301"]
    assert names.unique(stems) == [
        "a",
        "A (2)",
        "a (2) (2)",
        "Sea/a",
        "Sea/A (2)",
        "x (2)",
        "x.png/y",
        "é",
        "e\u0301 (2)",
    ]


def test_many_equal_names_are_numbered_fast() -> None:
    assert names.unique(["a"] * 20_000)[-1] == "a (20000)"


@given(st.lists(st.text(alphabet="aAbB/.1 ()", max_size=8), max_size=30))
def test_unique_paths_are_unique_and_stay_so(given_names: list[str]) -> None:
    stems = names.unique([names.safe_stem(name, index) for index, name in enumerate(given_names)])
    assert len({stem.casefold() for stem in stems}) == len(stems)
    assert names.unique(stems) == stems


def test_a_result_has_the_extension_of_its_format() -> None:
    assert names.with_extension("2024/scan.1", ImageFormat.JPEG) == "2024/scan.1.jpg"
    assert names.last_part("2024/scan.1.jpg") == "scan.1.jpg"
