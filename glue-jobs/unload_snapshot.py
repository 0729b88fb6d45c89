"""AWS Glue job: reads the tables of one snapshot for the service, which plans, commits and publishes it.

Also runs on any machine with the packages of requirements.txt: `rocketgames glue unload`.
"""

import sys

from rocketgames_glue.arguments import unload_arguments
from rocketgames_glue.entry import run_job
from rocketgames_glue.jobs import unload

if __name__ == "__main__":
    options = None
    if "--JOB_NAME" in sys.argv:
        # AWS Glue's own module: only there is there such a thing, and it alone knows which arguments are Glue's.
        from awsglue.utils import getResolvedOptions

        options = getResolvedOptions(sys.argv, ["JOB_NAME"])
    # No awsglue Job with its init and commit: they move bookmarks, which track listed files and not commits.
    run_job("unload_snapshot", unload_arguments, unload.run, options)
