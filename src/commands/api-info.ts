import type { ApiInfo } from '../http/openapi.ts'

const DESCRIPTION = `
Players, the studios with the people who own them, their games, and who owns what - of one game publisher, over HTTP.

- **Begin** with \`GET /v1/whoami\`: it tells who your key is and what it may do. Every operation names the scopes that it needs.
- **Lists** page by cursor: follow \`page.next\` or the \`Link\` header until there is none. Nothing in a query is ignored: an unknown
  parameter is an error.
- **Changes** are safe to repeat: send \`Idempotency-Key\` with a POST or PATCH, and \`If-Match\` with the \`ETag\` that you read.
- **What goes wrong** is a problem (RFC 9457) with a stable \`code\`; \`GET /v1/problems/{slug}\` says what to do about it.
- **Personal data** is in an answer only with the resource's \`.personal\` scope; without it the fields are absent.
- **The API grows** only by addition: ignore fields that you do not know, expect new values in enumerations.
`.trim()

const TAGS: Readonly<Record<string, string>> = {
  service: 'Who you are, what the enumerations and problems mean, and how the service is.',
  studios: 'Partner companies, from the first contact to the day they close.',
  members: 'Who owns or administers which studio, in which role.',
  owners: 'The people who own or run studios. Their names and addresses are personal.',
  games: 'Titles of the studios, their lifecycle and the platforms they ship on.',
  players:
    'Accounts of players and the accounts elsewhere that lead to them. Nearly everything about them is personal.',
  library: 'Which player owns which game on which platform, since when, and how long it was played.',
  imports: 'Records in bulk: every line in is answered by a line out, and a file can be sent again.',
  exports: 'Lists as files, whole and provably so.',
  jobs: 'Work that outlives its request.',
  'audit events': 'Who changed what, when and why.',
  'api keys': 'Keys of the API: made, rotated, revoked. A secret is shown once.',
  lake: 'Snapshots of all of it as Parquet, for analysts: no name, address or birth date leaves.',
  'lake queries': 'SQL over the snapshots.',
}

/** What the API document says of itself. */
export function apiInfo(version: string): ApiInfo {
  return { title: 'RocketGames Accounts', version, description: DESCRIPTION, tags: TAGS }
}
