"""What all vendors' answers have in common: how they fail, secrets, and a small client of ours."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, NoReturn

from touchstone.errors import SourceError

MAX_BODY: Final = 64_000_000
"""Bytes of one answer; a page of 10,000 bars has about one million."""
_N_SHOWN: Final = 200
_AGENT: Final = "Mozilla/5.0 (compatible; touchstone)"  # Yahoo turns unnamed clients away


class TransientError(SourceError):
    """An answer that may be another the next time: too many requests, a broken connection.

    Args:
        message: what happened.
        retry_after: seconds the server wants to be left alone; None where it does not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(TransientError):
    """No connection at all: no network, no such host, nobody listens."""


class DeniedError(SourceError):
    """The vendor does not know us, or does not let us: no symbol will fare better."""


class Secrets:
    """Keys of a vendor. They never show: not in `repr`, and `scrub` takes them out of texts."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not pickled")

    def scrub(self, text: str) -> str:
        """The text without any secret in it: a server may echo what it was sent."""
        for value in sorted(self._values.values(), key=len, reverse=True):
            text = text.replace(value, "***") if value else text
        return text


class Access(NamedTuple):
    """How a vendor is reached."""

    secrets: Secrets = Secrets()
    url: str | None = None
    """Root of another server than the vendor's own: a proxy, or one on loopback."""
    timeout_seconds: float = 30.0
    """Longest silence of the server."""


def refuse_status(code: int, body: str, headers: Mapping[str, str], where: str) -> None:
    """Raise what an HTTP status means; nothing for 2xx.

    Raises:
        TransientError: 408, 425, 429 or 5xx, with the server's Retry-After.
        DeniedError: 401 or 403.
        SourceError: any other.
    """
    if 200 <= code < 300:
        return
    said = f"{where} answers {code}: {shown(body)}"
    if code in (408, 425, 429) or code >= 500:
        raise TransientError(said, retry_after(headers))
    if code in (401, 403):
        raise DeniedError(f"{said}: check the keys in the environment and what they permit")
    raise SourceError(said)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header; None where there is none in seconds."""
    text = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def shown(body: str) -> str:
    """A server's text in one short line."""
    text = " ".join(body.split())
    printable = "".join(c if c.isprintable() else "?" for c in text[:_N_SHOWN])
    return f"{printable}..." if len(text) > _N_SHOWN else printable or "nothing"


class JsonClient:
    """GET a JSON object from one server, with a cap on its size. Not for two threads at once."""

    def __init__(self, root: str, timeout_seconds: float) -> None:
        import httpx  # noqa: PLC0415  a study never needs it

        self._root = root.rstrip("/")
        self._client = httpx.Client(
            timeout=timeout_seconds, headers={"User-Agent": _AGENT}, follow_redirects=False
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def get(self, path: str, parameters: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """(status, object) of an answer whose body is a JSON object, whatever its status.

        Raises:
            UnreachableError: nobody answers.
            TransientError: the answer breaks off, is too late, or is no JSON; 429 or 5xx.
            DeniedError: 401 or 403.
            SourceError: the body is too large, or no object.
        """
        import httpx  # noqa: PLC0415

        url, body = f"{self._root}{path}", b""
        try:
            with self._client.stream("GET", url, params=parameters) as answer:
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > MAX_BODY:
                        raise SourceError(f"{url} answers more than {MAX_BODY:,} bytes")
        except httpx.ConnectError as error:
            raise UnreachableError(f"{self._root} cannot be reached: {error}") from None
        except httpx.TransportError as error:
            raise TransientError(f"{url} broke off: {error or type(error).__name__}") from None
        text = body.decode("utf-8", errors="replace")
        if answer.status_code in (401, 403, 408, 425, 429) or answer.status_code >= 500:
            refuse_status(answer.status_code, text, answer.headers, url)
        return answer.status_code, parsed(text, url)


def parsed(text: str, where: str) -> dict[str, Any]:
    """A body as a JSON object.

    Raises:
        TransientError: no JSON: the body was cut.
        SourceError: JSON, but no object.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise TransientError(f"{where} answers no whole JSON: {shown(text)}") from None
    if not isinstance(content, dict):
        raise SourceError(f"{where} answers no JSON object: {shown(text)}")
    return content
