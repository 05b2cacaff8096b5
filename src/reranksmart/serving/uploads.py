"""A picture that somebody sends: bounded, and a picture indeed, before any other code sees it."""

import asyncio
import io
from collections.abc import AsyncIterator

from reranksmart.files.photographs import TooLargeError, undecoded

PATIENCE_S, SLOWEST = 10.0, 250_000  # a sender has these seconds, and one more for so many bytes that have come
MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP")


class RefusedError(ValueError):
    """An upload that is not taken, with the HTTP status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_bounded(stream: AsyncIterator[bytes], *, announced: str | None) -> bytes:
    """The whole body, or RefusedError: as soon as it is announced or seen to exceed ``MOST_BYTES`` (413), or as it comes
    more slowly than ``SLOWEST`` bytes a second (408)."""
    told = f"The picture is larger than {MOST_BYTES // 1024**2} MB; send a smaller one."
    if announced is not None and announced.isdigit() and int(announced) > MOST_BYTES:
        raise RefusedError(413, told)
    body, until = bytearray(), asyncio.get_running_loop().time() + PATIENCE_S
    try:
        async with asyncio.timeout_at(until) as deadline:
            async for chunk in stream:
                body += chunk
                deadline.reschedule(until + len(body) / SLOWEST)
                if len(body) > MOST_BYTES:
                    raise RefusedError(413, told)
    except TimeoutError:
        told = (
            f"The picture came too slowly; at least {SLOWEST // 1000} kB a second are waited for. Send a smaller one."
        )
        raise RefusedError(408, told) from None
    return bytes(body)


def require_picture(body: bytes) -> None:
    """RefusedError unless the bytes are a whole JPEG, PNG or WebP of at most ``MOST_PIXELS`` pixels."""
    try:
        with undecoded(io.BytesIO(body), formats=FORMATS, most=MOST_PIXELS) as picture:
            picture.draft("RGB", (1, 1))  # all of a JPEG is read, and an eighth of its sides kept
            picture.load()
    except TooLargeError as error:
        raise RefusedError(413, f"The picture is too large: {error}. Send a smaller one.") from error
    except Exception as error:  # parsers raise nearly every type on a broken picture
        raise RefusedError(415, "That is no whole picture; send a JPEG, PNG or WebP file.") from error
