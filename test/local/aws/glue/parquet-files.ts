import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** Writes Parquet files by DuckDB, a writer that shares nothing with the crawler's reader. */
export interface ParquetFiles {
  /** The path of a file with the rows of `select`, a query without its SELECT. */
  write(select: string): Promise<string>
  bytes(select: string): Promise<Buffer>
  close(): Promise<void>
}

export async function openParquetFiles(): Promise<ParquetFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'parquet-files-'))
  const duck = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await duck.connect()
  let count = 0
  const write = async (select: string): Promise<string> => {
    count += 1
    const path = join(folder, `${count}.parquet`)
    await connection.run(`COPY (SELECT ${select}) TO '${path}' (FORMAT parquet)`)
    return path
  }
  return {
    write,
    bytes: async (select) => readFile(await write(select)),
    async close() {
      connection.closeSync()
      duck.closeSync()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
