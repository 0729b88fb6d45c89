import path from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { startLocalAws } from '../../src/local/aws/launcher.ts'
import { createLogger } from '../../src/logger.ts'

/** The embedded S3 in its own process, with the bucket `lake`: it shares the cores and writes to disk. */
export async function startLocalS3(dir: string) {
  const aws = await startLocalAws({ dir: path.join(dir, 'aws'), port: 0, log: createLogger({ level: 'warn' }) })
  const { accessKeyId, endpoint, region, secretAccessKey } = aws
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
  await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
  client.destroy()
  return { endpoint, accessKeyId, secretAccessKey, pid: aws.pid, stop: () => aws.stop() }
}
