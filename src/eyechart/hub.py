"""Data sets on the Hugging Face hub: what a person typed in, files on this disk out.

In: a path, or an address: `OWNER/NAME`, `OWNER/NAME@REVISION`, or
`hf://datasets/OWNER/NAME[@REVISION][/INSIDE]`, where INSIDE is a file, a folder or a pattern. A
path that exists always wins. Out: local paths, and the commit that they are of.

The hub's own library fetches and keeps the files; its variables hold (HF_HOME, HF_TOKEN,
HF_ENDPOINT, HF_HUB_OFFLINE). Reads no question, and never shows a token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote

from eyechart.errors import BadInput

SCHEME = "hf://datasets/"
FORM = f"OWNER/NAME, OWNER/NAME@REVISION or {SCHEME}OWNER/NAME/FILE"
MAX_NAMES_SHOWN = 6
TIMEOUT_S = 30.0
_PART = r"[\w][\w.-]*"
_SHORT = re.compile(rf"(?P<repo>{_PART}/{_PART})(@(?P<revision>\S+))?", re.ASCII)
_LONG = re.compile(
    rf"{SCHEME}(?P<repo>{_PART}/{_PART})(@(?P<revision>[^\s/]+))?(/(?P<inside>.*))?", re.ASCII
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HTTP = ("httpx", "httpx2")
_NO_REPO = (
    "no such file or folder, and no data set of this name on the hub, or it is a private one; "
    "check the name, and for a private one set HF_TOKEN to a token that may read it"
)
_FILE_SUFFIXES = (".parquet", ".json", ".jsonl", ".csv", ".tsv", ".zip", ".tar", ".txt")


@dataclass(frozen=True, slots=True)
class HubAddress:
    """A data set on the hub. `revision`: a branch, tag or commit, "" for the newest of `main`.

    `inside`: a file, a folder or a pattern in it, "" for whatever the reader wants of it.

    >>> str(HubAddress("q-future/Q-Bench-HF", "482288d"))
    'q-future/Q-Bench-HF@482288d'
    """

    repo: str
    revision: str = ""
    inside: str = ""

    def __str__(self) -> str:
        text = f"{self.repo}@{self.revision}" if self.revision else self.repo
        return f"{SCHEME}{text}/{self.inside}" if self.inside else text


@dataclass(frozen=True, slots=True)
class Found:
    """What a text stands for on this disk.

    `paths`: the file or folder itself; for a pattern, each file that it matches, sorted. `name`:
    what to call it. `commit`: hex, of the hub's data set; "" for a path of the user's own. `notes`:
    what a reader of the results must know.
    """

    paths: tuple[Path, ...]
    name: str
    commit: str = ""
    notes: tuple[str, ...] = ()


def hub_address(text: str) -> HubAddress | None:
    """The address that a text is; None where it is a path, or no address at all.

    >>> hub_address("q-future/Q-Bench-HF@main")
    HubAddress(repo='q-future/Q-Bench-HF', revision='main', inside='')
    >>> hub_address("hf://datasets/q-future/Q-Bench-HF/data/dev-*.parquet").inside
    'data/dev-*.parquet'
    """
    if long := _LONG.fullmatch(text):
        revision, inside = unquote(long["revision"] or ""), long["inside"] or ""
        return HubAddress(long["repo"], revision, inside.strip("/"))
    short = _SHORT.fullmatch(text)
    if short is None or short["repo"].lower().endswith(_FILE_SUFFIXES) or Path(text).exists():
        return None
    return HubAddress(short["repo"], short["revision"] or "")


def find_data(text: str, wanted: Sequence[str] = ("*",)) -> Found:
    """The path that a text is, or the files behind the address that it is, fetched where need be.

    `wanted`: patterns of the files to fetch where the address names none inside. Raises BadInput
    where there is neither such a path nor such a data set.
    """
    path = Path(text).expanduser()
    if path.exists():
        return Found((path,), text)
    address = hub_address(text)
    if address is None:
        raise BadInput(
            f"{text}: no such file or folder, and no address on the hub; expected a path, or {FORM}"
        )
    return fetch(address, wanted)


def fetch(address: HubAddress, wanted: Sequence[str] = ("*",)) -> Found:
    """The files behind an address, from the hub, or kept from earlier where it cannot be reached.

    Raises BadInput where the data set, its revision or the files do not exist, may not be read, or
    cannot be reached and are not kept here.
    """
    inside = address.inside
    patterns = [inside, f"{inside}/*"] if inside else list(wanted)
    try:
        folder, notes = _snapshot(address, patterns)
    except Exception as error:  # the library raises its own, its HTTP library's and the system's
        told = _told(address, error)
        if told is None:
            raise
        raise BadInput(f"{address}: {told}") from None
    matched = _matching(folder, patterns)
    if not matched:
        held = _held(address, folder)
        raise BadInput(
            f"{address}: no file matches {inside or ' or '.join(wanted)}; {held}; name one of them "
            f"as {SCHEME}{address.repo}/FILE"
        )
    exact = folder / inside
    paths = (exact,) if exact.exists() else tuple(matched)
    return Found(paths, str(address), folder.name, notes)


def _snapshot(address: HubAddress, patterns: list[str]) -> tuple[Path, tuple[str, ...]]:
    """The folder of the commit, holding what matches, and a note where it is only a kept copy."""
    from huggingface_hub import HfApi, snapshot_download

    revision = address.revision or "main"
    try:
        if not _COMMIT.fullmatch(revision):
            HfApi().dataset_info(address.repo, revision=revision, timeout=TIMEOUT_S)
    except Exception as error:  # as in fetch
        if not is_unreachable(error):
            raise
        kept = snapshot_download(
            address.repo,
            repo_type="dataset",
            revision=revision,
            allow_patterns=patterns,
            local_files_only=True,
        )
        commit = Path(kept).name
        note = f"{address}: the hub cannot be reached ({cause_of(error)}); the copy kept on this"
        return Path(kept), (f"{note} machine was used (commit {commit[:12]}).",)
    folder = snapshot_download(
        address.repo, repo_type="dataset", revision=revision, allow_patterns=patterns
    )
    return Path(folder), ()


def _matching(folder: Path, patterns: Iterable[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path: path.relative_to(folder).as_posix() for path in files}
    return [path for path in files if any(fnmatchcase(names[path], p) for p in patterns)]


def _held(address: HubAddress, folder: Path) -> str:
    """What the data set holds instead, in words; a list that cannot be had is left out."""
    from huggingface_hub import HfApi

    try:
        names = HfApi().list_repo_files(
            address.repo, repo_type="dataset", revision=folder.name or None
        )
    except Exception:  # the missing list must not hide what the message is about
        return "check what its page lists"
    shown = ", ".join(names[:MAX_NAMES_SHOWN])
    more = len(names) - MAX_NAMES_SHOWN
    return f"it holds {shown}{f' and {more} more' if more > 0 else ''}"


def _told(address: HubAddress, error: BaseException) -> str | None:
    """What went wrong and what to do, None for an error that is none of the hub's."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return (
            "access to this data set must be granted first; ask for it on its page, then set "
            "HF_TOKEN to a token of that account"
        )
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)):
        return _NO_REPO
    if isinstance(error, errors.RevisionNotFoundError):
        return (
            f"the data set has no revision {address.revision or 'main'!r}; name a branch, a tag or "
            "a commit that it has, or leave it out for the newest"
        )
    if status_of(error) in (401, 403):
        return _NO_REPO
    if is_unreachable(error) or isinstance(error, errors.LocalEntryNotFoundError):
        return (
            f"no such file or folder here, and the hub cannot be reached ({cause_of(error)}); no "
            "whole copy is kept on this machine; try again, or download it elsewhere (hf download "
            f"{address.repo} --repo-type dataset --local-dir FOLDER) and give the folder with "
            "--data FOLDER"
        )
    if isinstance(error, errors.HfHubHTTPError):
        return f"the hub refuses it ({cause_of(error)}); check the address, then try again"
    if isinstance(error, OSError):
        return (
            f"cannot be kept on this machine ({error.strerror or type(error).__name__}); make "
            "room, or set HF_HOME to a folder with room"
        )
    return None


def is_unreachable(error: BaseException) -> bool:
    """No answer, or one that says nothing of the matter (busy, broken, offline on purpose)."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, HfHubHTTPError):
        return status_of(error) == 429 or status_of(error) >= 500
    of_http = any(kind.__module__.partition(".")[0] in _HTTP for kind in type(error).__mro__)
    return of_http or isinstance(error, (OfflineModeIsEnabled, ConnectionError))


def status_of(error: BaseException) -> int:
    """The HTTP status that the hub answered with, 0 for none."""
    return int(getattr(getattr(error, "response", None), "status_code", 0))


def cause_of(error: BaseException) -> str:
    """The cause in few words, without the library's text, which may quote an address with a key."""
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    if isinstance(error, LocalEntryNotFoundError):
        inner = error.__cause__ or error.__context__
        return cause_of(inner) if inner else "nothing kept"
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    return f"HTTP {status_of(error)}" if status_of(error) else type(error).__name__
