import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AthenaClient } from '@aws-sdk/client-athena'
import { GlueClient } from '@aws-sdk/client-glue'
import { S3Client } from '@aws-sdk/client-s3'
import { type LocalAws, startLocalAws } from '../../src/local/aws/launcher.ts'
import { createLogger } from '../../src/logger.ts'

export interface TestAws {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** The state folder, `LOCAL_DATA_DIR`. */
  readonly dir: string
  readonly pid: number
  readonly s3: S3Client
  readonly glue: GlueClient
  readonly athena: AthenaClient
  /** Ends the process with SIGKILL, as a crash would, and waits; the folder stays. */
  kill(): Promise<void>
  /** Stops the process, closes the clients, removes the folder. */
  stop(): Promise<void>
}

/**
 * A real local AWS endpoint on a free port, with clients in their default settings.
 *
 * @param dir a folder that another endpoint left; default a new one.
 */
export async function startTestAws(dir?: string): Promise<TestAws> {
  const folder = dir ?? (await mkdtemp(join(tmpdir(), 'rocketgames-aws-')))
  const log = createLogger({ level: 'warn' })
  const aws = await startLocalAws({ dir: folder, port: 0, log })
  const settings = clientSettings(aws)
  const s3 = new S3Client({ ...settings, forcePathStyle: true })
  const glue = new GlueClient(settings)
  const athena = new AthenaClient(settings)
  const closeClients = () => {
    for (const client of [s3, glue, athena]) client.destroy()
  }
  return {
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: settings.credentials,
    dir: folder,
    pid: aws.pid,
    s3,
    glue,
    athena,
    async kill() {
      process.kill(aws.pid, 'SIGKILL')
      await aws.exited
      closeClients()
    },
    async stop() {
      closeClients()
      await aws.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const clientSettings = ({ endpoint, region, accessKeyId, secretAccessKey }: LocalAws) => ({
  endpoint,
  region,
  credentials: { accessKeyId, secretAccessKey },
})
