import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

/** Random bytes are drawn in advance for many ids: one call of the generator per id would cost more than all the rest of it. */
const BYTES_PER_ID = 16
const pool = new Uint8Array(1024 * BYTES_PER_ID)
let used = pool.length

/** A UUID version 7 (RFC 9562): ordered by time to the millisecond, 74 random bits, never reused. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += BYTES_PER_ID
  return v7({ random: pool.subarray(used - BYTES_PER_ID, used) })
}
