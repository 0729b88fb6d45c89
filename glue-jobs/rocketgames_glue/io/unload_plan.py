"""The two objects by which the service and the job speak: the plan, and the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rocketgames_glue.arguments import S3Address
from rocketgames_glue.io.aws import error_code
from rocketgames_glue.io.s3 import Bucket
from rocketgames_glue.job_error import JobError
from rocketgames_glue.unload.plan import UnloadPlan, read_plan


def stored_plan(client: Any, address: S3Address) -> UnloadPlan:
    """:raises JobError: ``plan-missing``, ``plan-invalid``, ``storage-failed``."""
    found = Bucket(client, address.bucket).read(address.key)
    if found is None:
        raise JobError("plan-missing", f"{address} is not there: the run that wrote it has ended, or never began", plan=str(address))
    plan = read_plan(found.content, address.key)
    if plan.bucket != address.bucket:
        raise JobError("plan-invalid", f"{address} is the plan of another bucket, {plan.bucket}", plan=str(address))
    return plan


def put_report(client: Any, plan: UnloadPlan, content: Mapping[str, Any]) -> None:
    """Writes the report, over that of an earlier run of the same plan. :raises JobError: ``storage-failed``."""
    body = json.dumps({"report_version": 1, "snapshot_id": plan.snapshot_id, **content}, separators=(",", ":")).encode()
    try:
        client.put_object(Bucket=plan.bucket, Key=plan.report_key, Body=body, ContentType="application/json")
    except (ClientError, BotoCoreError) as error:
        why = error_code(error) or type(error).__name__
        raise JobError("storage-failed", f"S3 PutObject of {plan.report_key} failed with {why} after all tries", key=plan.report_key) from None
