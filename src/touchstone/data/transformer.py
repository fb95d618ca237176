"""A pretrained transformer and its tokenizer: loaded from a folder or the hub, run in batches."""

import contextlib
import hashlib
import importlib.metadata
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import numpy as np
from pydantic import PositiveInt, field_validator

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.errors import ConfigError, SourceError

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]


class TransformerConfig(Config):
    """What scorers that run a transformer have in common."""

    model: str
    """A folder with the model and its tokenizer, relative to the study's file; or its name on the
    model hub, fetched once and then kept by the hub's own cache."""
    revision: str = "main"
    """Branch, tag or commit on the hub; a commit pins it."""
    device: Device = "auto"
    """Where it runs; auto takes a CUDA device where there is one. Scores agree to 1e-5."""
    max_tokens: PositiveInt = 512
    """A longer text is cut there."""
    batch_tokens: PositiveInt = 8192
    """Tokens run at once, padding included: short texts go many at a time."""
    released: str | None = None
    """When the model became public, YYYY-MM-DD: what it learnt from ends before."""

    @field_validator("released")
    @classmethod
    def _check_date(cls, date: str | None) -> str | None:
        if date is None:
            return None
        try:
            return str(np.datetime64(date, "D"))
        except ValueError:
            raise ConfigError(f"{date!r}: needs a date as in 2021-05-01") from None


class Loaded(NamedTuple):
    """A model ready to run."""

    tokenizer: Any
    network: Any
    device: "torch.device"
    version: str
    """SHA-256 over weights, configuration and tokenizer, 12 hex digits."""


def load(config: TransformerConfig, root: Path, head: str) -> Loaded:
    """Load `AutoModel...` and its tokenizer; weights come as safetensors, never as pickles.

    Args:
        config: which model, and where it runs.
        root: folder that relative paths are relative to.
        head: class of transformers that loads it, as in `AutoModelForSequenceClassification`.

    Raises:
        ConfigError: transformers is not installed, or no CUDA device is there but asked for.
        SourceError: no such folder, and no such model that could be fetched.
    """
    try:
        import transformers  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "a transformer needs the extra `sentiment`: pip install 'touchstone[sentiment]'; "
            "scorer: {kind: vader} needs none"
        ) from None

    folder = root / config.model
    with _quiet(transformers):
        if folder.is_dir():
            found = _pretrained(transformers, str(folder), head, {})
        else:
            found = _named(transformers, config, head)
    if isinstance(found, Exception):
        raise SourceError(_not_there(config, folder, found)) from None
    tokenizer, network, missing = found
    if untaught := sorted(name for name in missing if not name.startswith("pooler.")):
        raise SourceError(
            f"model {config.model}: holds no weights for {', '.join(untaught[:3])}, which would be "
            "left random: take a model of this kind"
        )
    device = _device(config.device)
    network = network.to(device).eval()
    return Loaded(tokenizer, network, device, _version(tokenizer, network, missing))


_Found: TypeAlias = tuple[Any, Any, set[str]] | Exception


def _named(transformers: Any, config: TransformerConfig, head: str) -> _Found:
    """A model by its name: from the hub's cache, else from the hub where that can be reached."""
    options = {"revision": config.revision}
    found = _pretrained(transformers, config.model, head, {**options, "local_files_only": True})
    if isinstance(found, Exception) and _reachable():
        return _pretrained(transformers, config.model, head, options)
    return found


def _pretrained(transformers: Any, place: str, head: str, options: dict[str, Any]) -> _Found:
    """Tokenizer, network and the names of weights that the files lack; or why there are none."""
    import torch  # noqa: PLC0415

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **options)
        network, info = getattr(transformers, head).from_pretrained(
            place, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **options
        )
    except (OSError, ValueError, ImportError) as error:
        return error
    return tokenizer, network, set(info["missing_keys"])


def _reachable() -> bool:
    """Whether the hub answers at all: asked once, since its client tries for a minute."""
    from huggingface_hub import constants  # noqa: PLC0415

    where = urlsplit(constants.ENDPOINT)
    port = where.port or (80 if where.scheme == "http" else 443)
    try:
        socket.create_connection((where.hostname or "", port), timeout=5).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """No bars and no reports while it loads: what matters is raised."""
    told = transformers.utils.logging
    verbosity, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity_error()
    told.disable_progress_bar()
    try:
        yield
    finally:
        told.set_verbosity(verbosity)
        if bars:
            told.enable_progress_bar()


def run(
    loaded: Loaded,
    config: TransformerConfig,
    texts: Sequence[str],
    read: "Callable[[Any, torch.Tensor], torch.Tensor]",
) -> Float64:
    """What `read` makes of the model's output and mask, (n_texts, n_columns), in the given order.

    Texts are run by length, so that little is padded. Batching and padding move a score by less
    than 1e-5: sums are taken in another order, and masked places weigh nothing.
    """
    import torch  # noqa: PLC0415

    places = int(getattr(loaded.network.config, "max_position_embeddings", config.max_tokens))
    longest = min(config.max_tokens, places, loaded.tokenizer.model_max_length)
    encoded = loaded.tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]
    lengths = np.array([len(ids) for ids in encoded], np.int64)
    order = np.argsort(lengths, kind="stable")
    rows: list[np.ndarray[Any, Any]] = []
    with torch.inference_mode():
        for batch in batches(lengths[order], config.batch_tokens):
            ids = [encoded[i] for i in order[batch].tolist()]
            padded = loaded.tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(loaded.device)
            out = loaded.network(**padded)
            rows.append(read(out, padded["attention_mask"]).double().cpu().numpy())
    found = np.concatenate(rows)
    back = np.empty_like(found)
    back[order] = found
    return np.asarray(back, np.float64)


def batches(lengths: Any, batch_tokens: int) -> Iterator[slice]:
    """Slices of rising lengths whose padded size stays within `batch_tokens`; one text at least."""
    first = 0
    for i in range(1, len(lengths) + 1):
        if i == len(lengths) or int(lengths[i]) * (i + 1 - first) > batch_tokens:
            yield slice(first, i)
            first = i


def _device(asked: Device) -> "torch.device":
    import torch  # noqa: PLC0415

    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise ConfigError("device: cuda is asked for and there is none: write auto or cpu")
    return torch.device("cuda" if there and asked != "cpu" else "cpu")


def _version(tokenizer: Any, network: Any, missing: set[str]) -> str:
    told = network.config.to_dict()
    kept = {k: v for k, v in told.items() if k not in ("_name_or_path", "transformers_version")}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode())
    for name, tensor in sorted(network.state_dict().items()):
        if name in missing:
            continue  # a pooler that the files lack is random, and unused
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.cpu().numpy()).reshape(-1).view(np.uint8).data)
    for token, place in sorted(tokenizer.get_vocab().items()):
        digest.update(f"{token}\0{place}\0".encode())
    return f"{digest.hexdigest()[:12]}, transformers {importlib.metadata.version('transformers')}"


def _not_there(config: TransformerConfig, folder: Path, error: Exception) -> str:
    reason = " ".join(str(error).split()).split(". ")[0][:160]
    if folder.is_dir():
        return f"model {folder}: cannot be loaded ({reason}): needs safetensors and a tokenizer"
    return (
        f"model {config.model!r}: no such folder ({folder}), not in the model hub's cache, and not "
        f"to be fetched from it as safetensors ({reason}): fetch it once where there is a network, "
        "give a folder, or write scorer: {kind: vader}"
    )
