import type { LakeStarter } from './lake-starter.ts'

/** One that ends with the service. */
export interface ClosingStarter extends LakeStarter {
  /** @param graceMs how long what it started may take to end, where that ends with it. */
  close(graceMs: number): Promise<void>
}
