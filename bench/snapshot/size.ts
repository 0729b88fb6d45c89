import { stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { DuckDBInstance } from '@duckdb/node-api'

interface Place {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/**
 * DuckDB's size for the same rows: it reads the files of the players that a snapshot has left in the local S3, uuids and pseudonyms as text, and
 * writes them again as zstd Parquet in its own settings.
 */
export async function sizes(s3: Place, dir: string): Promise<{ ours: number; duckdb: number }> {
  const { accessKeyId, endpoint, secretAccessKey } = s3
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  const files: string[] = []
  let ours = 0
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'lake/v1/players/' }))
  const [snapshot] = Contents.map(({ Key = '' }) => path.dirname(Key)).sort()
  for (const { Key = '' } of Contents) {
    if (path.dirname(Key) !== snapshot) continue
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'lake', Key }))
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array()
    const file = path.join(dir, `ours-${files.length}.parquet`)
    await writeFile(file, bytes)
    files.push(file)
    ours += bytes.length
  }
  client.destroy()
  const target = path.join(dir, 'again.parquet')
  const duck = await DuckDBInstance.create()
  const connection = await duck.connect()
  const list = files.map((file) => `'${file}'`).join(', ')
  await connection.run(`COPY (SELECT * FROM read_parquet([${list}])) TO '${target}' (FORMAT parquet, COMPRESSION zstd)`)
  connection.closeSync()
  return { ours, duckdb: (await stat(target)).size }
}
