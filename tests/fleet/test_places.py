"""Where tables lie: what cannot be reached says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyechart.errors import BadInput, MissingExtra
from eyechart.fleet.places import names_in, place_of, read_bytes, written_whole


def test_a_filesystem_without_its_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(MissingExtra) as caught:
        place_of("s3://lab/requests.parquet")
    assert str(caught.value) == (
        "s3://lab/requests.parquet: s3:// needs s3fs, which is not installed: pip install s3fs"
    )


def test_an_address_of_no_filesystem_is_refused() -> None:
    with pytest.raises(BadInput, match=r"foo://x: no address of a file \(Protocol not known: foo"):
        place_of("foo://x")


def test_a_password_in_an_address_is_never_shown() -> None:
    place = place_of("http://ann:secret@localhost/requests.parquet")
    assert place.shown == "http://localhost/requests.parquet"


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(BadInput, match=r"cannot be written \(\w+: .*\); make room there"),
        written_whole(place_of(tmp_path / "file" / "r.parquet")),
    ):
        pass
    with pytest.raises(BadInput, match=r"nothing: no such file or folder; check the address"):
        read_bytes(place_of(tmp_path / "nothing"))


def test_a_folder_is_listed_as_it_is_now(tmp_path: Path) -> None:
    for address in (str(tmp_path / "out"), "memory://places-out"):
        assert names_in(place_of(address)) == []
        for name in ("b", "a"):
            with written_whole(place_of(address).at(name)) as file:
                file.write(name.encode())
                assert name not in names_in(place_of(address))
        assert names_in(place_of(address)) == ["a", "b"]
        assert read_bytes(place_of(address).at("b")) == b"b"


def test_what_lay_there_stays_where_the_writing_fails(tmp_path: Path) -> None:
    place = place_of(tmp_path / "a")
    place.fs.pipe_file(place.path, b"before")
    with pytest.raises(KeyboardInterrupt), written_whole(place) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert read_bytes(place) == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]
