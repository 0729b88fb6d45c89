"""Parts of an upload: what is sent again, what is told, and how much is kept in memory. S3 is played here, to fail as it does."""

from __future__ import annotations

import base64
import hashlib
import threading
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from rocketgames_glue.io.parts import PARTS_IN_FLIGHT, UploadParts
from rocketgames_glue.unload.problems import UnloadProblem

MIB = 1 << 20


class Storage:
    """Takes parts; ``failures`` are raised first, one a call."""

    def __init__(self, *failures: Exception) -> None:
        self.parts: dict[int, bytes] = {}
        self.calls = 0
        self.most_at_once = 0
        self._at_once = 0
        self._failures = list(failures)
        self._lock = threading.Lock()
        self.begun = threading.Semaphore(0)
        self.free = threading.Event()
        self.free.set()

    def upload_part(self, *, PartNumber: int, Body: bytes, ContentLength: int, ChecksumCRC32: str, **upload: Any) -> dict[str, str]:
        with self._lock:
            self.calls += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            failure = self._failures.pop(0) if self._failures else None
        self.begun.release()
        self.free.wait(20)
        with self._lock:
            self._at_once -= 1
        if failure is not None:
            raise failure
        assert len(Body) == ContentLength
        assert base64.b64decode(ChecksumCRC32) == zlib.crc32(Body).to_bytes(4, "big")
        assert upload == {"Bucket": "b", "Key": "k", "UploadId": "u"}
        self.parts[PartNumber] = Body
        return {"ETag": f'"{hashlib.md5(Body).hexdigest()}"'}


def refused(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "…"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "UploadPart")  # type: ignore[typeddict-item]


def parts_of(storage: Storage, most_parts: int = 9_000) -> UploadParts:
    return UploadParts(storage, "b", "k", "u", 5 * MIB, most_parts)


@pytest.mark.parametrize("sizes", [[1], [5 * MIB], [5 * MIB + 1], [3 * MIB] * 4, [12 * MIB, 0, 1]])
def test_all_bytes_arrive_in_parts_of_one_size(sizes: list[int]) -> None:
    storage = Storage()
    sink = parts_of(storage)
    content = b""
    for i, size in enumerate(sizes):
        piece = bytes([i + 1]) * size
        sink.write(piece)
        content += piece
    told = sink.finish()
    assert b"".join(storage.parts[each.number] for each in told.parts) == content
    assert [each.number for each in told.parts] == list(range(1, len(storage.parts) + 1))
    assert all(each.bytes == 5 * MIB for each in told.parts[:-1])
    assert (told.bytes, told.crc32, told.sha256) == (len(content), f"{zlib.crc32(content):08x}", hashlib.sha256(content).hexdigest())
    assert all(each.etag == f'"{hashlib.md5(storage.parts[each.number]).hexdigest()}"' for each in told.parts)


def test_a_part_that_arrived_changed_is_sent_again_from_the_same_bytes() -> None:
    storage = Storage(refused("BadDigest", 400), refused("BadDigest", 400))
    sink = parts_of(storage)
    sink.write(b"x" * 100)
    assert sink.finish().bytes == 100
    assert (storage.calls, storage.parts[1]) == (3, b"x" * 100)


@pytest.mark.parametrize(
    ("failure", "code", "aws_code"),
    [
        (refused("NoSuchUpload", 404), "storage_failed", "NoSuchUpload"),
        (refused("AccessDenied", 403), "storage_denied", "AccessDenied"),
        (refused("SlowDown", 503), "storage_failed", "SlowDown"),
        (EndpointConnectionError(endpoint_url="http://…"), "storage_failed", "EndpointConnectionError"),
    ],
)
def test_a_failure_is_told_while_the_file_is_written(failure: Exception, code: str, aws_code: str) -> None:
    sink = parts_of(Storage(failure))
    with pytest.raises(UnloadProblem) as caught:
        for _ in range(PARTS_IN_FLIGHT + 1):
            sink.write(b"x" * 5 * MIB)
    sink.cancel()
    assert (caught.value.problem_code, caught.value.about["aws_code"]) == (code, aws_code)


def test_whoever_writes_waits_for_parts_under_way() -> None:
    storage = Storage()
    storage.free.clear()
    sink = parts_of(storage)
    written = threading.Event()

    def write() -> None:
        for _ in range(6):
            sink.write(b"x" * 5 * MIB)
        written.set()

    thread = threading.Thread(target=write)
    thread.start()
    for _ in range(PARTS_IN_FLIGHT):
        assert storage.begun.acquire(timeout=20)
    assert not written.is_set() and storage.calls == PARTS_IN_FLIGHT and sink.bytes <= (PARTS_IN_FLIGHT + 1) * 5 * MIB
    storage.free.set()
    thread.join(20)
    sink.finish()
    assert written.is_set() and storage.most_at_once == PARTS_IN_FLIGHT and len(storage.parts) == 6


def test_a_file_of_too_many_parts_is_refused_before_it_ends_short() -> None:
    sink = parts_of(Storage(), most_parts=2)
    with pytest.raises(UnloadProblem, match="LAKE_PART_BYTES") as caught:
        sink.write(b"x" * 16 * MIB)
    sink.cancel()
    assert caught.value.problem_code == "part_limit"
