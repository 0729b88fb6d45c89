/**
 * PostGraphile 5 over the same tables, as its manual sets it up for a server of one's own. It checks the same keys, or none: then
 * it does less than the others. It logs and counts nothing.
 *
 * `node bench/api/postgraphile.ts <database url> <pool size> [pepper]` prints its port and runs until it is ended.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { makeV4Preset } from 'postgraphile/presets/v4'
import { hashSecret, isSameHash, parseToken } from '../../src/accounts/api-keys/api-key.ts'

const [connectionString = '', poolSize = '10', pepper] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString, max: Number(poolSize) })

const CHECK_KEY = {
  name: 'check key',
  text: `SELECT scopes, secret_hash, revoked_at IS NULL AND expires_at > now() AS is_live FROM api_key WHERE id = $1`,
}

/** Asked before each operation. */
function requireKey(pepperBytes: Buffer) {
  return async (context: Partial<Grafast.RequestContext>) => {
    const header = context.node?.req.headers.authorization ?? ''
    const token = parseToken(header.slice('Bearer '.length))
    if (token === undefined) throw new Error('no valid key')
    const [key] = (await pool.query({ ...CHECK_KEY, values: [token.id] })).rows
    const hash = hashSecret(token.secret, pepperBytes)
    if (!key?.is_live || !isSameHash(hash, key.secret_hash) || !key.scopes.includes('players:read')) {
      throw new Error('no valid key')
    }
    return {}
  }
}

const instance = postgraphile({
  extends: [PostGraphileAmberPreset, makeV4Preset({ simpleCollections: 'omit' })],
  pgServices: [makePgService({ pool, schemas: ['public'] })],
  grafast: { explain: false, ...(pepper === undefined ? {} : { context: requireKey(Buffer.from(pepper, 'hex')) }) },
  grafserv: { graphiql: false, watch: false },
})
const server = createServer()
server.on('error', (error) => console.error(error))
await instance.createServ(grafserv).addTo(server)
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
// An exit of its own, so that a CPU profile is written.
process.once('SIGTERM', () => process.exit())
