/**
 * One round of load in a process of its own: `node bench/api/load.ts '<json of LoadOrder>'` prints one line, a `LoadResult`.
 */
import autocannon from 'autocannon'
import { COUNTRIES, playerId } from './players.ts'

export const OPERATIONS = ['get', 'list', 'lookup', 'post', 'patch'] as const
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

/** Players of one lookup. */
const LOOKED_UP = 20
const JSON_TYPE = { 'content-type': 'application/json' }
const FIELDS = `id username displayName email emailVerifiedAt birthDate country locale status closedAt erasedAt version
  createdAt updatedAt`

/** The `n`th request of a round. */
export function requestOf(order: LoadOrder, n: number): RequestParts {
  // Spread over the table: neighbours in time read far apart.
  const idOf = (i: number) => playerId(1 + ((i * 7919) % order.players))
  const id = idOf(n)
  const ids = () => Array.from({ length: LOOKED_UP }, (_, i) => idOf(n + i))
  const country = COUNTRIES[n % COUNTRIES.length] ?? 'DE'
  if (order.graphql) return graphqlRequest(order.operation, id, ids, country)
  switch (order.operation) {
    case 'get':
      return { method: 'GET', path: `/v1/players/${id}` }
    case 'list':
      return { method: 'GET', path: `/v1/players?status=active&country=${country}&sort=-createdAt&limit=50` }
    case 'lookup': {
      const body = JSON.stringify({ identifiers: ids().map((each) => ({ id: each })) })
      return { method: 'POST', path: '/v1/players/lookup', headers: JSON_TYPE, body }
    }
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
  const country = COUNTRIES[n % COUNTRIES.length]
  return { username, displayName: `New ${n}`, email: `${username}@example.com`, birthDate: '1999-12-31', country }
}

function graphqlRequest(operation: Operation, id: string, ids: () => string[], country: string): RequestParts {
  switch (operation) {
    case 'get':
      return graphql(`query ($id: UUID!) { playerById(id: $id) { ${FIELDS} } }`, { id })
    case 'list':
      return graphql(
        `query ($country: String!) {
           allPlayers(condition: { status: ACTIVE, country: $country }, orderBy: CREATED_AT_DESC, first: 50) {
             nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } } }`,
        { country },
      )
    case 'lookup':
      return graphql(LOOKUP, Object.fromEntries(ids().map((each, i) => [`id${i}`, each])))
    default:
      throw new Error(`${operation} is no read`)
  }
}

/** Its schema has no filter by a list of ids: each is a field of its own, which it fetches in one statement. */
const ITEMS = Array.from({ length: LOOKED_UP }, (_, i) => i)
const LOOKUP = `query (${ITEMS.map((i) => `$id${i}: UUID!`).join(', ')}) {
  ${ITEMS.map((i) => `p${i}: playerById(id: $id${i}) { ...player }`).join(' ')} }
  fragment player on Player { ${FIELDS} }`

function graphql(query: string, variables: Readonly<Record<string, unknown>>): RequestParts {
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
