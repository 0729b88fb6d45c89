/** What a Spark job is given to read one snapshot. */
export interface SparkJobOrder {
  readonly snapshotId: string
  readonly bucket: string
  /** `s3://…/plan.json`: everything but secrets. */
  readonly planUri: string
  /** Of the source database, for a job that has no secret store of its own. Never in arguments, never in a log. */
  readonly sourcePassword: string
  /** 32 bytes; likewise. */
  readonly pseudonymKey: Buffer
  /** The snapshot that it imports is gone after this time: a job that nobody can stop any more ends by itself. */
  readonly maxAgeMs: number
}

export interface SparkJobWatch {
  /** Ends the job. */
  readonly signal: AbortSignal
  /** Lines of its standard output, where they can be had while it runs. */
  readonly onLine: (line: string) => void
}

/** Where the Spark engine of a snapshot runs its job: AWS Glue, or a process on this machine. */
export interface SparkJob {
  /**
   * Finds out whether a job can run, before the database is bothered; a local one may fetch its programs meanwhile.
   *
   * @throws LakeProblem `spark_not_started`.
   */
  ready(signal: AbortSignal): Promise<void>

  /**
   * Runs the job to its end; once the signal aborts it ends the job, and throws when that is done or cannot be.
   *
   * @throws LakeProblem `spark_not_started`, `spark_busy` or `spark_failed`; the signal's reason.
   */
  run(order: SparkJobOrder, watch: SparkJobWatch): Promise<void>

  /** Ends the runs of a snapshot whose process is gone; none is success. */
  endLeft(snapshotId: string): Promise<void>
}
