"""A pretrained transformer and its tokenizer: loaded from a folder or the hub, run in batches."""

import hashlib
import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import PositiveInt

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
    import torch  # noqa: PLC0415

    folder = root / config.model
    place = str(folder) if folder.is_dir() else config.model
    options = {} if folder.is_dir() else {"revision": config.revision}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **options)
        network = getattr(transformers, head).from_pretrained(
            place, use_safetensors=True, dtype=torch.float32, **options
        )
    except (OSError, ValueError, ImportError) as error:
        raise SourceError(_not_there(config, folder, error)) from None
    device = _device(config.device)
    network = network.to(device).eval()
    return Loaded(tokenizer, network, device, _version(tokenizer, network))


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

    longest = min(
        config.max_tokens, int(getattr(loaded.network.config, "max_position_embeddings", 512))
    )
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


def _version(tokenizer: Any, network: Any) -> str:
    digest = hashlib.sha256(network.config.to_json_string(use_diff=False).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.cpu().numpy()).reshape(-1).view(np.uint8).data)
    for token, place in sorted(tokenizer.get_vocab().items()):
        digest.update(f"{token}\0{place}\0".encode())
    return f"{digest.hexdigest()[:12]}, transformers {importlib.metadata.version('transformers')}"


def _not_there(config: TransformerConfig, folder: Path, error: Exception) -> str:
    first = " ".join(str(error).split())[:200]
    if folder.is_dir():
        return f"model {folder}: cannot be loaded ({first}): needs safetensors and a tokenizer"
    return (
        f"model {config.model!r} is no folder at {folder}, and neither kept by the model hub's "
        f"cache nor to be fetched as safetensors ({first}): fetch it once where there is a "
        "network, or give a folder"
    )
