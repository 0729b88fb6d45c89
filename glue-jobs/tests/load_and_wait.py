"""Loads the run of a bucket into Postgres as the job does, says so at a step, and stays there until it is killed."""

import sys
import time

from rocketgames_glue.arguments import load_arguments
from rocketgames_glue.jobs import load


def wait_at(step: str) -> None:
    if step == sys.argv[1]:
        print("reached", flush=True)
        time.sleep(600)


load.run(load_arguments(sys.argv[2:]), wait_at)
