import type { ImportResource } from './import-run.ts'

/** Bodies and answers of imports, for the API document and for those who read it. */

const lines = (...values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')

interface Example {
  readonly records: readonly object[]
  readonly csv: string
}

const examples: Readonly<Record<ImportResource, Example>> = {
  owners: {
    records: [{ externalRef: 'crm-771', fullName: 'Olga Owner', email: 'olga@comet-forge.example' }],
    csv: 'externalRef,fullName,email\ncrm-771,Olga Owner,olga@comet-forge.example\n',
  },
  studios: {
    records: [
      {
        externalRef: 'crm-1042',
        slug: 'comet-forge',
        name: 'Comet Forge',
        country: 'SE',
        status: 'active',
        members: [{ owner: { email: 'olga@comet-forge.example' }, role: 'owner', status: 'active' }],
      },
    ],
    csv: 'externalRef,slug,name,country\ncrm-1042,comet-forge,Comet Forge,SE\n',
  },
  games: {
    records: [
      {
        externalRef: 'title-88',
        studio: { slug: 'comet-forge' },
        slug: 'star-haul',
        title: 'Star Haul',
        genres: ['strategy'],
        minAge: 12,
        releaseDate: '2026-03-05',
        releasePrecision: 'day',
        status: 'released',
        platforms: [{ platform: 'windows', store: 'steam', storeAppId: '440' }],
      },
    ],
    csv: 'externalRef,studio.slug,slug,title,genres,minAge\ntitle-88,comet-forge,star-haul,Star Haul,"[""strategy""]",12\n',
  },
  players: {
    records: [
      { username: 'nova', country: 'SE', identities: [{ provider: 'steam', subject: '76561198000000001' }] },
      { username: 'orbit', email: 'orbit@example.com', locale: 'sv-SE' },
    ],
    csv: 'username,email,country\nnova,nova@example.com,SE\norbit,orbit@example.com,\n',
  },
  library: {
    records: [
      {
        player: { provider: 'steam', subject: '76561198000000001' },
        game: { store: 'steam', storeAppId: '440' },
        platform: 'windows',
        source: 'purchase',
        acquiredAt: '2026-03-05T09:30:00Z',
        playtimeSeconds: 86_400,
      },
    ],
    csv: 'player.username,game.slug,platform,source,playtimeSeconds\nnova,star-haul,windows,purchase,86400\n',
  },
}

/** By media type. */
export function importBodies(resource: ImportResource): Readonly<Record<string, string>> {
  const { records, csv } = examples[resource]
  return { 'application/x-ndjson': lines(...records), 'text/csv': csv, 'application/json': JSON.stringify(records) }
}

const totals = { lines: 2, created: 1, updated: 0, unchanged: 0, errors: 1, dryRun: false }

/** One line made it, one did not. */
export const importAnswer = lines(
  { line: 1, status: 'created', id: '0193c0de-5b7e-7c1d-9a55-0e7c0f3d2b11', version: 1 },
  {
    line: 2,
    status: 'error',
    problem: {
      code: 'validation',
      status: 422,
      detail: '1 field is invalid',
      errors: [{ pointer: '/username', code: 'too-short', detail: 'at least 3 characters' }],
    },
  },
  { _end: totals },
)
