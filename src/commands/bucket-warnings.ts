import { describe } from '../errors.ts'
import { bucketDifferences } from '../lake/lake-buckets.ts'
import type { Logger } from '../logger.ts'
import type { OpenLake } from './composition.ts'

/**
 * Warns of rules of the buckets that would take files away from the lake, or keep them for ever. For buckets that somebody else
 * makes; a service that cannot look at them goes on without.
 */
export async function warnOfBuckets(
  { clients, config }: Pick<OpenLake, 'clients' | 'config'>,
  logger: Logger,
): Promise<void> {
  try {
    for (const difference of await bucketDifferences(clients.s3, config)) logger.warn(difference)
  } catch (error) {
    logger.warn({ reason: describe(error) }, 'the rules of the buckets could not be read')
  }
}
