"""Alarms as one JSON document, posted to an address."""

import contextlib
import json
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, SecretStr, field_validator

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.monitoring.alarms import ALARMS, Alarm, Sent

_AGAIN: Final = (408, 425, 429, 500, 502, 503, 504)
"""Answers that another try may change."""
_MOST_BYTES: Final = 1_000_000


class WebhookConfig(Config):
    """Where to post, and how patiently."""

    kind: Literal["webhook"] = "webhook"
    url: SecretStr
    """http or https address; often holds a token, so it is never printed."""
    timeout_seconds: PositiveFloat = 5.0
    """For connecting, and for each wait for an answer."""
    tries: int = Field(3, ge=1, le=10)
    """Times to try where the server fails or hangs."""
    pause_seconds: NonNegativeFloat = 0.5
    """Before the second try; doubled each time."""

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: SecretStr) -> SecretStr:
        if _host(url.get_secret_value()) is None:
            raise ConfigError("needs an address, as in https://host/path")
        return url


@ALARMS.register(WebhookConfig)
def webhook(config: WebhookConfig, alarms: Sequence[Alarm]) -> Sent:
    """Post {"alarms": [...], "left_out": n}; the answer's body is not read, redirects not followed.

    More than a megabyte is not sent: the gravest alarms come first, the rest is counted.
    """
    import httpx  # noqa: PLC0415  half a second that no other command needs

    url, problem, n = config.url.get_secret_value(), "", 0
    body = _body(alarms)
    pause = config.pause_seconds
    with _quiet(), httpx.Client(timeout=config.timeout_seconds) as client:
        for n in range(1, config.tries + 1):
            again = True
            try:
                headers = {"content-type": "application/json"}
                with client.stream("POST", url, content=body, headers=headers) as answer:
                    if answer.is_success:
                        return Sent(ok=True, n_tries=n)
                    problem, again = f"answered {answer.status_code}", answer.status_code in _AGAIN
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
                problem = type(error).__name__  # its text may hold the address
            if not again or n == config.tries:
                break
            time.sleep(pause)
            pause *= 2
    said = f"webhook at {_host(url)}: {problem} after {n} tries: check the address and the server"
    return Sent(ok=False, n_tries=n, problem=said)


def _body(alarms: Sequence[Alarm]) -> bytes:
    texts, size = [], 0
    for alarm in sorted(alarms, key=lambda a: -a.severity):
        text = json.dumps(alarm.as_dict())
        size += len(text) + 2
        if size > _MOST_BYTES:
            break
        texts.append(text)
    return f'{{"alarms": [{", ".join(texts)}], "left_out": {len(alarms) - len(texts)}}}'.encode()


def _host(url: str) -> str | None:
    """The part of an address that may be told, None where it is none."""
    from urllib.parse import urlsplit  # noqa: PLC0415

    try:
        parts = urlsplit(url)
        name = parts.hostname
        known = parts.scheme in ("http", "https") and name and parts.port != 0
    except ValueError:
        return None
    return name if known else None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what httpx says meanwhile: it logs every address that it calls."""
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    drop = logging.Filter("nothing is called so")
    for logger in loggers:
        logger.addFilter(drop)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(drop)
