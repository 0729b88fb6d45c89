import type { GlueClient } from '@aws-sdk/client-glue'
import { GlueSparkJob } from '../lake/spark/glue-spark-job.ts'
import type { SparkJob } from '../lake/spark-job.ts'
import type { LakeConfig } from '../lake-config.ts'
import type { Logger } from '../logger.ts'
import { say } from './terminal.ts'

/** Where the Spark engine of a snapshot runs: in AWS Glue where LAKE_SPARK_JOB says so, else as a process of this machine. */
export function sparkJobOf(config: LakeConfig, client: GlueClient, logger: Logger): SparkJob {
  const { bucket, region, sparkJob: job } = config
  if (job !== undefined) return new GlueSparkJob({ client, job, bucket, region })
  let local: Promise<SparkJob> | undefined
  const found = () => {
    local ??= localSparkJob(config, logger)
    return local
  }
  // Most commands never come near Spark: what it needs is loaded when somebody does.
  return {
    ready: async (signal) => (await found()).ready(signal),
    run: async (order, watch) => (await found()).run(order, watch),
    endLeft: async (snapshotId) => (await found()).endLeft(snapshotId),
  }
}

async function localSparkJob({ endpoint, region }: LakeConfig, logger: Logger): Promise<SparkJob> {
  const [{ LocalSparkJob }, { glueJobCommand }] = await Promise.all([
    import('../local/spark/local-spark-job.ts'),
    import('../local/spark/glue-job.ts'),
  ])
  return new LocalSparkJob({
    region,
    endpoint,
    log: (line) => logger.debug({ line }, 'said by the Spark job'),
    command: () => glueJobCommand('unload', process.env, say),
  })
}
