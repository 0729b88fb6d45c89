/**
 * One round of load in a process of its own: `node bench/api/load.ts '<json of LoadOrder>'` prints one line, a `LoadResult`.
 */
import autocannon from 'autocannon'
import { COUNTRIES, playerId } from './players.ts'

export const OPERATIONS = ['get', 'list', 'post', 'patch'] as const
export type Operation = (typeof OPERATIONS)[number]

export interface LoadOrder {
  readonly url: string
  readonly token: string
  readonly operation: Operation
  /** Asked in GraphQL. */
  readonly graphql?: boolean
  readonly connections: number
  readonly seconds: number
  /** Players there are. */
  readonly players: number
  /** Makes the names of new players unlike those of all other rounds. */
  readonly round: string
  /** First of the players that have version 1 and that this round may change. */
  readonly unchanged: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers with a status other than 2xx, and requests without an answer. */
  readonly failures: number
}

interface RequestParts {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const JSON_TYPE = { 'content-type': 'application/json' }
const FIELDS = `id username displayName email emailVerifiedAt birthDate country locale status closedAt erasedAt version
  createdAt updatedAt`

/** The `n`th request of a round. */
export function requestOf(order: LoadOrder, n: number): RequestParts {
  // Spread over the table: neighbours in time read far apart.
  const id = playerId(1 + ((n * 7919) % order.players))
  const country = COUNTRIES[n % COUNTRIES.length] ?? 'DE'
  if (order.graphql) return graphqlRequest(order.operation, id, country)
  switch (order.operation) {
    case 'get':
      return { method: 'GET', path: `/v1/players/${id}` }
    case 'list':
      return { method: 'GET', path: `/v1/players?status=active&country=${country}&sort=-createdAt&limit=50` }
    case 'post':
      return { method: 'POST', path: '/v1/players', headers: JSON_TYPE, body: JSON.stringify(newPlayer(order, n)) }
    case 'patch':
      return {
        method: 'PATCH',
        path: `/v1/players/${playerId(order.unchanged + n)}`,
        headers: { 'content-type': 'application/merge-patch+json', 'if-match': '"1"' },
        body: JSON.stringify({ displayName: `Renamed ${n}`, country }),
      }
  }
}

function newPlayer({ round }: LoadOrder, n: number) {
  const username = `new-${round}-${n}`
  return { username, displayName: `New ${n}`, email: `${username}@example.com`, birthDate: '1999-12-31', country: 'DE' }
}

function graphqlRequest(operation: Operation, id: string, country: string): RequestParts {
  const query =
    operation === 'get'
      ? `query ($id: UUID!) { playerById(id: $id) { ${FIELDS} } }`
      : `query ($country: String!) {
           allPlayers(condition: { status: ACTIVE, country: $country }, orderBy: CREATED_AT_DESC, first: 50) {
             nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } } }`
  const variables = operation === 'get' ? { id } : { country }
  return { method: 'POST', path: '/graphql', headers: JSON_TYPE, body: JSON.stringify({ query, variables }) }
}

async function run(order: LoadOrder): Promise<LoadResult> {
  let n = 0
  const result = await autocannon({
    url: order.url,
    connections: order.connections,
    duration: order.seconds,
    headers: { authorization: `Bearer ${order.token}` },
    requests: [
      {
        setupRequest(request) {
          const { headers, ...parts } = requestOf(order, n++)
          return Object.assign(request, parts, { headers: { ...request.headers, ...headers } })
        },
      },
    ],
  })
  return {
    requests: result['2xx'],
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.non2xx + result.errors + result.timeouts,
  }
}

if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as LoadOrder)))
}
