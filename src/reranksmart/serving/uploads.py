"""A picture that somebody sends: bounded, and a picture indeed, before any other code sees it."""

import asyncio
import io
from collections.abc import AsyncIterator

from reranksmart.files.photographs import TooLargeError, undecoded

SECONDS = 60  # a slow sender has
MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP")


class RefusedError(ValueError):
    """An upload that is not taken, with the HTTP status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_bounded(stream: AsyncIterator[bytes], *, announced: str | None) -> bytes:
    """The whole body, or RefusedError (413) as soon as it is announced or seen to exceed ``MOST_BYTES``."""
    told = f"The picture is larger than {MOST_BYTES // 1024**2} MB; send a smaller one."
    if announced is not None and announced.isdigit() and int(announced) > MOST_BYTES:
        raise RefusedError(413, told)
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in stream:
                body += chunk
                if len(body) > MOST_BYTES:
                    raise RefusedError(413, told)
    except TimeoutError:
        raise RefusedError(408, f"The picture did not arrive within {SECONDS} seconds; send it again.") from None
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
