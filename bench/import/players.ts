import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { samplePeriod } from '../../src/local/sample/period.ts'
import { playerLine } from '../../src/local/sample/players.ts'

/** What a line has: the fields of a player, or these and one account elsewhere. */
export const KINDS = ['plain', 'identity'] as const
export type Kind = (typeof KINDS)[number]

const PERIOD = samplePeriod(Date.UTC(2026, 9, 1))
const CHUNK_CHARS = 1024 * 1024

/** A player of the sample with every field filled, and without a registration of its own: it is registered by the import. */
function lineOf(kind: Kind, index: number): object {
  const sample = playerLine(PERIOD, index) as Readonly<Record<string, string | undefined>> & { identities: object[] }
  const { username, email, birthDate, country, locale, displayName, identities } = sample
  const player = {
    username,
    email: email ?? `${username}@example.com`,
    birthDate: birthDate ?? '1990-05-17',
    country: country ?? 'SE',
    locale: locale ?? 'sv-SE',
    displayName: displayName ?? `Player ${index}`,
  }
  return kind === 'plain' ? player : { ...player, identities: identities.slice(0, 1) }
}

/** NDJSON of so many players, made before the clock runs: an importer has its file. */
export async function writePlayers(file: string, kind: Kind, players: number): Promise<void> {
  const out = createWriteStream(file)
  let text = ''
  for (let index = 0; index < players; index++) {
    text += `${JSON.stringify(lineOf(kind, index))}\n`
    if (text.length < CHUNK_CHARS) continue
    if (!out.write(text)) await once(out, 'drain')
    text = ''
  }
  out.end(text)
  await once(out, 'finish')
}
