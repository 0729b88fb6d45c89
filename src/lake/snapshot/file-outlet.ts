import type { ByteSink } from '../parquet/output.ts'
import type { FileFacts } from '../parquet/writer.ts'

/** Where the files of one table from one reader go. */
export interface FileOutlet {
  /** Opens a file, before its first byte. Its sink copies what it is given. */
  open(number: number): Promise<ByteSink>
  /** The sink has every byte of the file; whoever waits for files hears when they are safe. */
  finish(number: number, facts: FileFacts): void
}
