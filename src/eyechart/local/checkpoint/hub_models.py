"""Models on the Hugging Face hub: an address in, a folder of one commit on this disk out.

The hub's own library fetches and keeps the files; its variables hold (HF_HOME, HF_TOKEN,
HF_ENDPOINT, HF_HUB_OFFLINE). What is fetched is for the caller to say: a model's settings first,
so that one which cannot be used is refused before its weights travel. Never shows a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyechart.errors import BadInput
from eyechart.hub import TIMEOUT_S, cause_of, is_unreachable, status_of
from eyechart.local.checkpoint.address import LocalAddress

_NO_REPO = (
    "no model of this name on the hub, or it is a private one; check the name, for a private one "
    "set HF_TOKEN to a token that may read it, and for a folder beside you write hf:./FOLDER"
)


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model of the hub's. `held`: the names of its files.

    `unreachable`: why the hub cannot be reached, so that what is kept on this machine must do and
    `held` is not known; "" where it can be.
    """

    address: LocalAddress
    held: frozenset[str] = frozenset()
    unreachable: str = ""

    def __str__(self) -> str:
        """What messages call it."""
        if self.unreachable:
            return f"{self.address} (kept here; the hub cannot be reached: {self.unreachable})"
        return str(self.address)


def look_up(address: LocalAddress) -> HubModel:
    """Ask the hub which files there are. Raises BadInput where there is no such model."""
    from huggingface_hub import HfApi

    revision = address.revision or "main"
    try:
        told = HfApi().model_info(address.source, revision=revision, timeout=TIMEOUT_S)
    except Exception as error:  # the library raises its own, its HTTP library's and the system's
        if not is_unreachable(error):
            raise _told(address, error) from None
        return HubModel(address, unreachable=cause_of(error))
    return HubModel(address, frozenset(file.rfilename for file in told.siblings or ()))


def fetch(model: HubModel, patterns: Sequence[str], *, commit: str = "") -> Path:
    """The folder of a commit, called by it, with what matches fetched, or all kept from before.

    `commit`: "" for that which the address means now. Raises BadInput where it can be neither.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            model.address.source,
            revision=commit or model.address.revision or "main",
            allow_patterns=list(patterns),
            local_files_only=bool(model.unreachable),
        )
    except Exception as error:  # as in look_up
        raise _told(model.address, error, model.unreachable) from None
    return Path(folder)


def _told(address: LocalAddress, error: Exception, unreachable: str = "") -> Exception:
    """What went wrong and what to do; the error itself where it is none of the hub's."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return BadInput(
            f"{address}: access to this model must be granted first; ask for it on its page, then "
            "set HF_TOKEN to a token of that account"
        )
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)):
        return BadInput(f"{address}: {_NO_REPO}")
    if isinstance(error, errors.RevisionNotFoundError):
        return BadInput(
            f"{address}: the model has no revision {address.revision or 'main'!r}; name a branch, "
            "a tag or a commit that it has, or leave it out for the newest"
        )
    if status_of(error) in (401, 403):
        return BadInput(f"{address}: {_NO_REPO}")
    if is_unreachable(error) or isinstance(error, errors.LocalEntryNotFoundError):
        return BadInput(
            f"{address}: the hub cannot be reached ({unreachable or cause_of(error)}), and no copy "
            "is kept whole on this machine; try again, or download it elsewhere (hf download "
            f"{address.source} --local-dir FOLDER) and give the folder as hf:/path/to/FOLDER"
        )
    if isinstance(error, errors.HfHubHTTPError):
        return BadInput(
            f"{address}: the hub refuses it ({cause_of(error)}); check the address, then try again"
        )
    if isinstance(error, OSError):
        return BadInput(
            f"{address}: cannot be kept on this machine ({error.strerror or type(error).__name__});"
            " make room, or set HF_HOME to a folder with room"
        )
    return error
