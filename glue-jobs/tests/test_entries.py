"""The entry scripts as AWS Glue 5 starts them, and as anybody else does: the same arguments, the same words, another way to fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

JOBS = Path(__file__).resolve().parents[1]
AWSGLUE = '''"""What of awsglue.utils an entry uses: the options named, and those that AWS Glue itself reserves."""
import argparse

def getResolvedOptions(args, options):
    parser = argparse.ArgumentParser()
    for reserved in ("--job-bookmark-option", "--continuation-option", "--JOB_ID", "--JOB_RUN_ID", "--SECURITY_CONFIGURATION",
                     "--encryption-type", "--enable-data-lineage", "--RedshiftTempDir", "--TempDir"):
        parser.add_argument(reserved)
    for option in options:
        parser.add_argument("--" + option, required=True)
    return vars(parser.parse_known_args(args[1:])[0])
'''
OF_GLUE = [
    *("--enable-metrics", "true", "--enable-spark-ui", "true", "--spark-event-logs-path", "s3://aws-glue-assets/sparkHistoryLogs/"),
    *("--enable-job-insights", "true", "--enable-observability-metrics", "true", "--enable-glue-datacatalog", "true"),
    *("--enable-continuous-cloudwatch-log", "true", "--job-bookmark-option", "job-bookmark-disable", "--job-language", "python"),
    *("--extra-py-files", "s3://deployments/rocketgames_glue.zip", "--TempDir", "s3://aws-glue-assets/temporary/"),
    *("--JOB_ID", "j_4bb3a7c2e5f0", "--JOB_RUN_ID", "jr_8f14e45fceea167a", "--JOB_NAME", "rocketgames-curate"),
]
"""What AWS Glue 5 adds to a job's own arguments."""


@pytest.fixture(scope="module")
def glue_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The package as ``--extra-py-files`` brings it, in a zip file, and the module that AWS Glue has."""
    folder = tmp_path_factory.mktemp("glue")
    (folder / "awsglue").mkdir()
    (folder / "awsglue/__init__.py").write_text("")
    (folder / "awsglue/utils.py").write_text(AWSGLUE)
    archive = folder / "rocketgames_glue.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for each in sorted((JOBS / "rocketgames_glue").rglob("*")):
            if each.suffix in (".py", ".json"):
                file.write(each, each.relative_to(JOBS))
    return os.pathsep.join([str(archive), str(folder)])


def _run(script: str, arguments: Sequence[str], path: str, **extra: str) -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, the lines of the log, and all that was said on standard error."""
    env = {**os.environ, "PYTHONPATH": path, **extra}
    done = subprocess.run([sys.executable, JOBS / script, *arguments], env=env, cwd="/", capture_output=True, text=True, timeout=120)
    lines = [json.loads(each) for each in done.stderr.splitlines() if each.startswith("{")]
    return done.returncode, lines, done.stderr


def test_a_job_runs_with_the_arguments_of_aws_glue(aws: Any, glue_path: str) -> None:
    own = ["--bucket", aws.bucket, "--region", aws.region, "--results", "s3://rocketgames-results/athena/", "--full-rebuild", "false"]
    # As job parameters have it: an endpoint is no argument there, so the client is told by the environment.
    code, lines, said = _run("curate_accounts.py", [*OF_GLUE, *own], glue_path, AWS_ENDPOINT_URL=aws.endpoint_url)
    assert (code, [each["event"] for each in lines]) == (0, ["job-started", "nothing-to-do", "job-done"]), said
    assert {(each["job"], each["job_run_id"]) for each in lines} == {("rocketgames-curate", "jr_8f14e45fceea167a")}
    assert aws.keys() == []


def test_on_aws_glue_a_failure_is_the_exception_whose_words_the_run_shows(glue_path: str) -> None:
    code, lines, said = _run("curate_accounts.py", [*OF_GLUE, "--bucket", "lake", "--region", "eu-central-1"], glue_path)
    assert code == 1
    assert said.splitlines()[-1].endswith("UsageError: usage: the following arguments are required: --results")
    assert [each["event"] for each in lines] == ["job-failed"]


@pytest.mark.parametrize("script", ["curate_accounts.py", "load_warehouse.py", "unload_snapshot.py"])
def test_elsewhere_wrong_arguments_end_a_job_with_2_and_one_line(script: str) -> None:
    code, lines, said = _run(script, ["--bucket", "lake", "--region", "eu-central-1", "--nonsense"], str(JOBS))
    assert (code, [(each["event"], each["code"]) for each in lines]) == (2, [("job-failed", "usage")]), said
    assert "Traceback" not in said
