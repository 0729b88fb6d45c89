import type { TableContract } from '../contract.ts'
import type { SourceFacts } from './source.ts'

export interface FooterMetadataInput {
  readonly contract: TableContract
  readonly snapshotId: string
  readonly facts: Pick<SourceFacts, 'taken_at' | 'wal_lsn'>
  readonly pseudonymKeyVersion: number
}

/** What the footer of a file says of itself: a file that lies elsewhere one day still tells what it is. */
export function footerMetadata(
  { contract, facts, pseudonymKeyVersion, snapshotId }: FooterMetadataInput,
  part: number,
): Readonly<Record<string, string>> {
  return {
    'rocketgames.snapshot_id': snapshotId,
    'rocketgames.table': contract.name,
    'rocketgames.contract_version': String(contract.version),
    'rocketgames.fingerprint': contract.fingerprint,
    'rocketgames.taken_at': facts.taken_at,
    'rocketgames.wal_lsn': facts.wal_lsn,
    'rocketgames.part': String(part),
    'rocketgames.pseudonym_key_version': String(pseudonymKeyVersion),
  }
}
