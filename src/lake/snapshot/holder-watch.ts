import type pg from 'pg'
import { LakeProblem } from '../lake-problem.ts'
import { sourceProblem } from './source-problem.ts'

const PING_INTERVAL_MS = 30_000
const PING_TIMEOUT_MS = 10_000

/**
 * Watches the idle connection whose transaction keeps the snapshot for all readers: when it breaks, none of them can be begun again,
 * and the run ends. Its pings also keep firewalls from forgetting it.
 *
 * @param fail told what happened to it.
 * @returns ends the watch.
 */
export function watchHolder(holder: pg.Client, fail: (problem: unknown) => void): () => void {
  const lost = (error: unknown) => fail(sourceProblem(error))
  const ended = () => fail(new LakeProblem('connection_lost', 'The connection that holds the snapshot was closed'))
  const timer = setInterval(() => void ping(holder).catch(lost), PING_INTERVAL_MS)
  holder.on('error', lost)
  holder.on('end', ended)
  return () => {
    clearInterval(timer)
    holder.off('error', lost)
    holder.off('end', ended)
  }
}

async function ping(holder: pg.Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const problem = new LakeProblem('connection_lost', 'The connection that holds the snapshot does not answer')
    timer = setTimeout(() => reject(problem), PING_TIMEOUT_MS)
  })
  try {
    await Promise.race([holder.query('SELECT 1'), late])
  } finally {
    clearTimeout(timer)
  }
}
