"""Loads the run of a bucket into Postgres as the job does, says so at a step, and stays there until it is killed."""

import sys
import time
from dataclasses import replace

from rocketgames_glue.arguments import load_arguments
from rocketgames_glue.jobs import load
from rocketgames_glue.session import session_settings, spark_session

# A few rows are sooner interpreted than compiled. The job finds this session and goes on with it.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


def wait_at(step: str) -> None:
    if step == sys.argv[1]:
        print("reached", flush=True)
        time.sleep(600)


arguments = load_arguments(sys.argv[2:])
spark_session(replace(session_settings("load_warehouse", arguments.place), conf=INTERPRETED))
load.run(arguments, wait_at)
