/**
 * `npm run test:python -- <pytest arguments>`: brings up Postgres and the local endpoints, runs pytest on the jobs and ends all of it.
 * For developing; `npm test` runs the same tests.
 */
import { once } from 'node:events'
import { sparkEnvironment } from '../../src/local/spark/spark-environment.ts'
import { startTestAws } from '../support/local-aws.ts'
import { startTestCluster } from '../support/postgres.ts'
import { endPytest, startPytest } from './pytest-run.ts'

const spark = await sparkEnvironment((sentence) => process.stderr.write(`${sentence}\n`))
if ('missing' in spark) {
  process.stderr.write(`${spark.missing}\n`)
  process.exit(2)
}
const [cluster, aws] = await Promise.all([startTestCluster(), startTestAws()])
try {
  const pytest = startPytest({ spark, adminUrl: cluster.adminUrl, aws }, process.argv.slice(2), 'inherit')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => endPytest(pytest))
  const [code] = (await once(pytest, 'close')) as [number | null]
  process.exitCode = code ?? 130
} finally {
  await Promise.all([cluster.stop(), aws.stop()])
}
