"""A file on its way into the parts of a multipart upload that the service began and will complete. Nothing here completes or ends one."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rocketgames_glue.io.aws import error_code, error_status
from rocketgames_glue.unload.facts import Uploaded, UploadedPart
from rocketgames_glue.unload.problems import UnloadProblem

PARTS_IN_FLIGHT = 2
_DAMAGED_TRIES = 3
_DENIED = 403


class UploadParts:
    """Takes the bytes of one file in order, and sends them as parts with their CRC32; whoever writes waits when two are under way.

    Memory: the part that fills and the two that are sent. A part that is sent again, by another attempt of the same task too, takes the
    place of the one before.
    """

    def __init__(self, client: Any, bucket: str, key: str, upload_id: str, part_bytes: int, most_parts: int) -> None:
        self._client = client
        self._upload = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
        self._part_bytes = part_bytes
        self._most_parts = most_parts
        self._open = bytearray()
        self._crc32 = 0
        self._sha256 = hashlib.sha256()
        self._bytes = 0
        self._number = 0
        self._sent: list[Future[UploadedPart]] = []
        self._pool = ThreadPoolExecutor(max_workers=PARTS_IN_FLIGHT)

    @property
    def bytes(self) -> int:
        """Bytes written so far."""
        return self._bytes

    def write(self, data: bytes | memoryview) -> None:
        """:raises UnloadProblem: a part could not be sent."""
        with memoryview(data) as given:
            taken = 0
            while taken < len(given):
                room = self._part_bytes - len(self._open)
                self._open += given[taken : taken + room]
                taken += min(room, len(given) - taken)
                if len(self._open) == self._part_bytes:
                    self._send()
            self._bytes += len(given)

    def finish(self) -> Uploaded:
        """Sends what is left, and waits for every part."""
        if self._open:
            self._send()
        parts = tuple(each.result() for each in self._sent)
        self._pool.shutdown()
        return Uploaded(self._bytes, f"{self._crc32:08x}", self._sha256.hexdigest(), parts)

    def cancel(self) -> None:
        """Sends nothing more, once the parts under way have an answer: none of them may arrive after those of another attempt."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _send(self) -> None:
        # Of the parts before the last one under way: the first failure is told before more is encoded.
        if self._number >= PARTS_IN_FLIGHT:
            self._sent[self._number - PARTS_IN_FLIGHT].result()
        self._number += 1
        if self._number > self._most_parts:
            raise UnloadProblem(
                "part_limit",
                f"{self._upload['Key']} would need more than {self._most_parts} parts of {self._part_bytes} bytes; raise LAKE_PART_BYTES",
                key=self._upload["Key"],
            )
        content = bytes(self._open)
        self._open = bytearray()
        self._crc32 = zlib.crc32(content, self._crc32)
        self._sha256.update(content)
        self._sent.append(self._pool.submit(self._send_part, self._number, content))

    def _send_part(self, number: int, content: bytes) -> UploadedPart:
        checksum = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()

        def send() -> str:
            answer = self._client.upload_part(
                **self._upload, PartNumber=number, Body=content, ContentLength=len(content), ChecksumCRC32=checksum
            )
            return str(answer["ETag"])

        return UploadedPart(number, self._told(number, send), len(content), checksum)

    def _told(self, number: int, send: Callable[[], str]) -> str:
        for attempt in range(1, _DAMAGED_TRIES + 1):
            try:
                return send()
            except (ClientError, BotoCoreError) as error:
                # The bytes were changed on their way: those that are here are as they were.
                if error_code(error) == "BadDigest" and attempt < _DAMAGED_TRIES:
                    continue
                raise self._problem(number, error) from None
        raise AssertionError("the last attempt returns or raises")

    def _problem(self, number: int, error: Exception) -> UnloadProblem:
        key = self._upload["Key"]
        why = error_code(error) or type(error).__name__
        if why == "NoSuchUpload":
            return UnloadProblem("storage_failed", f"The upload of {key} is gone: the run that began it has ended", key=key, aws_code=why)
        code = "storage_denied" if error_status(error) == _DENIED else "storage_failed"
        return UnloadProblem(code, f"S3 UploadPart {number} of {key} failed with {why} after all tries", key=key, aws_code=why)
