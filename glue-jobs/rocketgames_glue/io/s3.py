"""One S3 bucket as the jobs use it: conditional writes, bounded reads, batches whose entries are all looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rocketgames_glue.io.aws import error_code, error_status, write_condition
from rocketgames_glue.job_error import JobError

AT_ONCE = 16
"""Calls to S3 under way at the same time."""
_DELETES_PER_CALL = 1_000
_CONFLICT_TRIES = 5
_TOTAL = re.compile(r"bytes \d+-\d+/(\d+)")

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class StoredObject:
    """An object of a listing; ``modified`` is UTC."""

    key: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True)
class Body:
    """A small object that was read whole."""

    content: bytes
    etag: str


@dataclass(frozen=True)
class Tail:
    """The end of an object, and how long all of it is."""

    content: bytes
    size_bytes: int


@dataclass(frozen=True)
class PendingUpload:
    """A multipart upload that was neither completed nor aborted."""

    key: str
    upload_id: str


@dataclass(frozen=True)
class Bucket:
    """A bucket, by a client of ``aws_client``. Every method may be repeated.

    What S3 refuses for good is a :class:`JobError` ``storage-failed`` that names call and key.
    """

    client: Any
    name: str

    def read(self, key: str) -> Body | None:
        """The whole object; None where there is none. For manifests and pointers: it is held in memory."""

        def get() -> Body | None:
            try:
                answer = self.client.get_object(Bucket=self.name, Key=key)
                return Body(answer["Body"].read(), answer["ETag"])
            except ClientError as error:
                if error_code(error) in ("NoSuchKey", "404"):
                    return None
                raise

        return self._told("GetObject", key, get)

    def tail(self, key: str, size_bytes: int) -> Tail | None:
        """The last bytes of an object, all of it where it is shorter; None where there is no such object."""

        def get() -> Tail | None:
            try:
                answer = self.client.get_object(Bucket=self.name, Key=key, Range=f"bytes=-{size_bytes}")
            except ClientError as error:
                if error_code(error) in ("NoSuchKey", "404"):
                    return None
                if error_code(error) == "InvalidRange":  # an empty object has no range at all
                    return Tail(b"", 0)
                raise
            total = _TOTAL.fullmatch(answer.get("ContentRange", ""))
            content = answer["Body"].read()
            return Tail(content, int(total[1]) if total else len(content))

        return self._told("GetObject", key, get)

    def create(self, key: str, content: bytes) -> bool:
        """Writes an object that is not there yet (``If-None-Match: *``). False: there is one, and it is not this content."""
        return self._conditional(key, content, "If-None-Match", "*")

    def replace(self, key: str, content: bytes, etag: str) -> bool:
        """Writes over the version that was read (``If-Match``). False: somebody else has written it since."""
        return self._conditional(key, content, "If-Match", etag)

    def _conditional(self, key: str, content: bytes, header: str, value: str) -> bool:
        """A write that was repeated after a lost answer meets itself: the same content there is success."""

        def put() -> bool:
            for attempt in range(_CONFLICT_TRIES):
                try:
                    with write_condition(header, value):
                        self.client.put_object(Bucket=self.name, Key=key, Body=content, ContentType="application/json")
                    return True
                except ClientError as error:
                    # 409: two writes met, none is done; S3 says to send it again.
                    if error_status(error) == 409 and attempt < _CONFLICT_TRIES - 1:
                        continue
                    if error_status(error) not in (404, 409, 412) or error_code(error) == "NoSuchBucket":
                        raise
                    found = self.read(key)
                    return found is not None and found.content == content
            return False

        return self._told("PutObject", key, put)

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """All objects below a prefix, page by page."""
        for page in self._pages("list_objects_v2", Prefix=prefix):
            for each in page.get("Contents", ()):
                yield StoredObject(each["Key"], each["Size"], each["LastModified"])

    def folders(self, prefix: str) -> Iterator[str]:
        """The names of the folders right below a prefix that ends in a slash, without slashes."""
        for page in self._pages("list_objects_v2", Prefix=prefix, Delimiter="/"):
            for each in page.get("CommonPrefixes", ()):
                yield each["Prefix"][len(prefix) :].rstrip("/")

    def pending_uploads(self, prefix: str) -> Iterator[PendingUpload]:
        """Multipart uploads below a prefix that are neither completed nor aborted."""
        for page in self._pages("list_multipart_uploads", Prefix=prefix):
            for each in page.get("Uploads", ()):
                yield PendingUpload(each["Key"], each["UploadId"])

    def _pages(self, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        pages = iter(self.client.get_paginator(operation).paginate(Bucket=self.name, **arguments))
        while True:
            page = self._told(operation, arguments["Prefix"], lambda: next(pages, None))
            if page is None:
                return
            yield page

    def abort(self, upload: PendingUpload) -> None:
        """Ends an upload; one that is gone already is success."""

        def end() -> None:
            try:
                self.client.abort_multipart_upload(Bucket=self.name, Key=upload.key, UploadId=upload.upload_id)
            except ClientError as error:
                if error_code(error) != "NoSuchUpload":
                    raise

        self._told("AbortMultipartUpload", upload.key, end)

    def remove(self, keys: Iterable[str]) -> int:
        """Deletes objects; one that is not there is success. Reads ``Errors[]``: an answer of 200 may have deleted nothing.

        :returns: how many keys were given.
        """
        every = list(keys)
        for start in range(0, len(every), _DELETES_PER_CALL):
            chunk = every[start : start + _DELETES_PER_CALL]
            self._told("DeleteObjects", chunk[0], lambda chunk=chunk: self._remove_chunk(chunk))
        return len(every)

    def _remove_chunk(self, keys: Sequence[str]) -> None:
        objects = [{"Key": key} for key in keys]
        answer = self.client.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
        errors = answer.get("Errors", ())
        if errors:
            first = errors[0]
            raise JobError(
                "storage-failed",
                f"S3 did not delete {len(errors)} of {len(keys)} objects, first {first['Key']}: {first.get('Code')}",
                bucket=self.name,
                key=first["Key"],
            )

    def _told(self, operation: str, key: str, call: Callable[[], A]) -> A:
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            why = error_code(error) or type(error).__name__
            raise JobError(
                "storage-failed",
                f"S3 {operation} of s3://{self.name}/{key} failed with {why} after all tries: look whether the job's role may do that, "
                "and whether S3 can be reached; then run the job again",
                bucket=self.name,
                key=key,
                operation=operation,
                reason=why,
            ) from error


def at_once(work: Callable[[A], B], entries: Iterable[A], workers: int = AT_ONCE) -> list[B]:
    """Calls ``work`` for every entry, a bounded number at the same time; the answers in the order of the entries.

    :raises: what the first of the failed calls raised, in the order of the entries; entries that were not begun then are not begun.
    """
    every = list(entries)
    if not every:
        return []
    with ThreadPoolExecutor(max_workers=min(workers, len(every))) as pool:
        futures = [pool.submit(work, each) for each in every]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
