import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { parseConfig } from '../config.ts'
import type { LocalAws } from '../local/aws/launcher.ts'
import { createLogger } from '../logger.ts'
import { ownSettings } from './environment.ts'
import { print, say, shellQuote } from './terminal.ts'

/** In LOCAL_DATA_DIR, from when the lake is set up, too, until the next start: what a health check has to look for beside the port. */
export const READY_FILE = 'aws-ready'

/** `rocketgames local`: the S3, Glue and Athena endpoint alone, until it is told to stop. */
export function addLocalCommand(program: Command): void {
  program
    .command('local')
    .description(
      'run only the local S3, Glue and Athena endpoint, and print export lines for it; with LAKE_BUCKET and LAKE_RESULTS the lake is set up on it',
    )
    .action(runLocal)
}

async function runLocal(): Promise<void> {
  const env = ownSettings(process.env)
  const { local, logLevel } = parseConfig(env)
  const { startLocalAws } = await import('../local/aws/launcher.ts')
  const dir = path.resolve(local.dataDir)
  // Of a run before this one; whoever finds the port open finds it gone.
  rmSync(path.join(dir, READY_FILE), { force: true })
  const endpoint = await startLocalAws({
    dir,
    host: local.awsHost,
    port: local.awsPort,
    log: createLogger({ level: logLevel === 'info' ? 'warn' : logLevel }),
  })
  let asked = false
  const stop = () => {
    asked = true
    void endpoint.stop()
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const values = {
    AWS_ENDPOINT_URL: endpoint.endpoint,
    AWS_REGION: endpoint.region,
    // boto3 and what is built on it read no other name
    AWS_DEFAULT_REGION: endpoint.region,
    AWS_ACCESS_KEY_ID: endpoint.accessKeyId,
    AWS_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
  }
  try {
    await setUpLake(endpoint, { ...env, ...values })
  } catch (error) {
    await endpoint.stop()
    throw error
  }
  writeFileSync(path.join(dir, READY_FILE), '')
  for (const [name, value] of Object.entries(values)) print(`export ${name}=${shellQuote(value)}`)
  say(`S3, Glue and Athena on ${endpoint.endpoint}; Ctrl-C stops them.`)
  const { code, signal } = await endpoint.exited
  if (!asked) throw new Error(`The local S3, Glue and Athena endpoint stopped by itself (${signal ?? `code ${code}`}).`)
}

/** What the infrastructure brings in AWS: the buckets, databases, crawler and work group that the settings name, if they do. */
async function setUpLake(endpoint: LocalAws, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { lake } = parseConfig(env)
  if (lake === undefined) return
  const [{ ensureLake }, { s3Client }, { createGlueClient }, { createAthenaClient }] = await Promise.all([
    import('../lake/lake-setup.ts'),
    import('../lake/storage/s3-client.ts'),
    import('../lake/catalogue/glue-client.ts'),
    import('../lake/athena/athena-client.ts'),
  ])
  process.env.AWS_ACCESS_KEY_ID = endpoint.accessKeyId
  process.env.AWS_SECRET_ACCESS_KEY = endpoint.secretAccessKey
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN']) delete process.env[name]
  const clients = { s3: s3Client(lake), glue: createGlueClient(lake), athena: createAthenaClient(lake) }
  try {
    const { created, differing } = await ensureLake(lake, clients, { owned: true })
    for (const each of [...created, ...differing]) say(each)
  } finally {
    for (const client of Object.values(clients)) client.destroy()
  }
}
