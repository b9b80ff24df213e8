"""Hub addresses: what is fetched, what is kept, and what is told where that fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.hub_server import COMMIT, Repo, ask, hub

from eyechart.errors import BadInput
from eyechart.hub import HubAddress, find_data, hub_address
from eyechart.items import read_items

REPO = Repo(
    "eyes/chart",
    {"data/dev-0.parquet": b"dev", "data/test-0.parquet": b"test", "README.md": b"# Chart"},
)
NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("eyes/chart", HubAddress("eyes/chart")),
        ("eyes/chart@v1.0", HubAddress("eyes/chart", "v1.0")),
        ("eyes/chart@refs/pr/2", HubAddress("eyes/chart", "refs/pr/2")),
        ("hf://datasets/eyes/chart", HubAddress("eyes/chart")),
        (
            "hf://datasets/eyes/chart@v1/data/*.parquet",
            HubAddress("eyes/chart", "v1", "data/*.parquet"),
        ),
        ("hf://datasets/eyes/chart@refs%2Fpr%2F2", HubAddress("eyes/chart", "refs/pr/2")),
        ("hf://datasets/eyes/chart/data/", HubAddress("eyes/chart", "", "data")),
        ("chart", None),
        ("/eyes/chart", None),
        ("./eyes/chart", None),
        ("a/b/c", None),
        ("data/dev.parquet", None),
        ("eyes/ chart", None),
        ("../chart", None),
    ],
)
def test_an_address_is_told_from_a_path(text: str, address: HubAddress | None) -> None:
    assert hub_address(text) == address


def test_a_path_that_exists_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "eyes" / "chart").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert hub_address("eyes/chart") is None
    found = find_data("eyes/chart")
    assert (found.paths, found.commit, found.notes) == ((Path("eyes/chart"),), "", ())


@pytest.mark.parametrize("text", ["data/dev.parquet", "/no/such/folder", "chart"])
def test_a_missing_file_is_told_without_asking_the_hub(text: str) -> None:
    with pytest.raises(BadInput, match=r"no such file or folder, and no address .* OWNER/NAME"):
        find_data(text)


def test_what_is_wanted_is_fetched_with_its_commit(tmp_path: Path) -> None:
    with hub(REPO) as served:
        told = ask(served.url, "eyes/chart", tmp_path, "*.parquet")
    (folder,) = map(Path, told["paths"])
    assert (told["name"], told["commit"], told["notes"]) == ("eyes/chart", COMMIT, [])
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
    assert files == {name: data for name, data in REPO.files.items() if name != "README.md"}


@pytest.mark.parametrize(
    ("inside", "names"),
    [
        ("data/dev-*.parquet", ["data/dev-0.parquet"]),
        ("data/test-0.parquet", ["data/test-0.parquet"]),
        ("data", ["data"]),
    ],
)
def test_an_address_may_name_what_it_wants_inside(
    tmp_path: Path, inside: str, names: list[str]
) -> None:
    with hub(REPO) as served:
        told = ask(served.url, f"hf://datasets/eyes/chart@main/{inside}", tmp_path)
    assert [path.partition(f"{COMMIT}/")[2] for path in told["paths"]] == names
    assert told["name"] == f"hf://datasets/eyes/chart@main/{inside}"


def test_what_is_kept_is_used_and_told_where_the_hub_cannot_be_reached(tmp_path: Path) -> None:
    with hub(REPO) as served:
        ask(served.url, "eyes/chart", tmp_path, "*.parquet")
    for url, env, why in [
        (NOWHERE, {}, "ConnectError"),
        (served.url, {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set"),
    ]:
        told = ask(url, "eyes/chart", tmp_path, "*.parquet", **env)
        assert told["commit"] == COMMIT
        (note,) = told["notes"]
        assert f"eyes/chart: the hub cannot be reached ({why}); the copy kept on this" in note
        assert f"(commit {COMMIT[:12]})" in note


def test_a_kept_copy_that_lacks_what_is_wanted_is_none(tmp_path: Path) -> None:
    with hub(REPO) as served:
        ask(served.url, "eyes/chart", tmp_path, "*.parquet")
    error = ask(NOWHERE, "hf://datasets/eyes/chart/README.md", tmp_path)["error"]
    assert "the hub cannot be reached (ConnectError); no whole copy is kept" in error


def test_a_name_that_no_data_set_can_have_is_told(tmp_path: Path) -> None:
    error = ask(NOWHERE, "eyes/ch--art", tmp_path)["error"]
    assert error.startswith("eyes/ch--art: no such file or folder, and no data set of this name")


def test_a_commit_that_is_kept_asks_nobody(tmp_path: Path) -> None:
    with hub(REPO) as served:
        ask(served.url, f"eyes/chart@{COMMIT}", tmp_path, "*.parquet")
    told = ask(NOWHERE, f"eyes/chart@{COMMIT}", tmp_path, "*.parquet")
    assert (told["commit"], told["notes"]) == (COMMIT, [])


def test_a_hub_out_of_reach_and_nothing_kept_is_told_with_what_to_do(tmp_path: Path) -> None:
    for url, env, why in [(NOWHERE, {}, "ConnectError"), (NOWHERE, {"HF_HUB_OFFLINE": "1"}, "HF_")]:
        error = ask(url, "eyes/chart", tmp_path, **env)["error"]
        assert error.startswith("eyes/chart: no such file or folder here, and the hub cannot be")
        assert f"cannot be reached ({why}" in error
        assert "hf download eyes/chart --repo-type dataset --local-dir FOLDER" in error
        assert "give the folder with --data FOLDER" in error


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "RepoNotFound", "no such file or folder, and no data set of this name on the hub"),
        (401, "RepoNotFound", "check the name, and for a private one set HF_TOKEN"),
        (401, "", "check the name, and for a private one set HF_TOKEN"),
        (403, "", "check the name, and for a private one set HF_TOKEN"),
        (403, "GatedRepo", "access to this data set must be granted first"),
        (500, "", "the hub cannot be reached (HTTP 500)"),
        (503, "", "the hub cannot be reached (HTTP 503)"),
        (429, "", "the hub cannot be reached (HTTP 429)"),
        (400, "", "the hub refuses it (HTTP 400); check the address"),
    ],
)
def test_a_hub_that_refuses_is_told_with_what_to_do(
    tmp_path: Path, status: int, code: str, message: str
) -> None:
    with hub(status=status, code=code) as served:
        error = ask(served.url, "eyes/chart", tmp_path)["error"]
    assert error.startswith("eyes/chart: ")
    assert message in error


def test_a_revision_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with hub(REPO) as served:
        error = ask(served.url, "eyes/chart@v9", tmp_path)["error"]
    assert error.startswith(
        "eyes/chart@v9: the data set has no revision 'v9'; name a branch, a tag"
    )


def test_a_pattern_that_matches_nothing_is_told_with_what_there_is(tmp_path: Path) -> None:
    with hub(REPO) as served:
        inside = ask(served.url, "hf://datasets/eyes/chart/data/train-*", tmp_path)["error"]
        wanted = ask(served.url, "eyes/chart", tmp_path, "*.csv")["error"]
    held = (
        "it holds data/dev-0.parquet, data/test-0.parquet, README.md; name one of them as "
        "hf://datasets/eyes/chart/FILE"
    )
    assert inside.endswith(f"no file matches data/train-*; {held}")
    assert wanted == f"eyes/chart: no file matches *.csv; {held}"


def test_a_token_is_sent_and_never_shown(tmp_path: Path) -> None:
    token = "hf_secretsecretsecret"
    with hub(status=401, code="") as served:
        told = ask(served.url, "eyes/chart", tmp_path, HF_TOKEN=token)
    assert f"Bearer {token}" in served.tokens
    assert token not in told["error"] + told["stderr"]


def item_folder(*rows: dict[str, str]) -> Repo:
    lines = "".join(json.dumps({"kind": "rate", **row}) + "\n" for row in rows)
    return Repo("eyes/chart", {"images/a.png": b"a", "metadata.jsonl": lines.encode()})


def test_an_item_folder_is_read_from_where_the_hubs_cache_keeps_it(tmp_path: Path) -> None:
    """Its files are links to others that lie outside the folder."""
    with hub(item_folder({"file_name": "images/a.png"})) as served:
        (path,) = ask(served.url, "eyes/chart", tmp_path)["paths"]
    assert (Path(path) / "images" / "a.png").is_symlink()
    (item,) = read_items(path).items
    assert item.id == "images/a.png"
    assert item.images[0].path is not None
    assert item.images[0].path.read_bytes() == b"a"


def test_an_item_folder_in_the_hubs_cache_cannot_name_what_lies_beside_it(tmp_path: Path) -> None:
    with hub(item_folder({"file_name": "images/a.png"})) as served:
        (path,) = ask(served.url, "eyes/chart", tmp_path)["paths"]
    folder = Path(path)
    kept = (folder / "images" / "a.png").resolve()
    (folder / "secret.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "secret.png").write_bytes(b"secret")
    rows = folder / "metadata.jsonl"
    rows.unlink()
    for name in (f"../../blobs/{kept.name}", str(kept), "secret.png", "../../../secret.png"):
        rows.write_text(json.dumps({"kind": "rate", "file_name": name}) + "\n")
        with pytest.raises(BadInput, match="expected a file name inside the item folder"):
            read_items(folder)


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with hub(REPO) as served:
        error = ask(served.url, "eyes/chart", tmp_path / "file")["error"]
    assert "cannot be kept on this machine" in error
    assert "set HF_HOME to a folder with room" in error
