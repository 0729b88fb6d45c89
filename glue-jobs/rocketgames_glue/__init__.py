"""Spark jobs on the snapshots of RocketGames Accounts: curate them, load warehouses from them, write one."""
