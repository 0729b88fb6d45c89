/**
 * PostGraphile 5 over the same tables, as its manual sets it up for a server of one's own; no key is checked, nothing is logged.
 *
 * `node bench/api/postgraphile.ts <database url> <pool size>` prints its port and runs until it is ended.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { makeV4Preset } from 'postgraphile/presets/v4'

const [connectionString = '', poolSize = '10'] = process.argv.slice(2)

const instance = postgraphile({
  extends: [PostGraphileAmberPreset, makeV4Preset({ simpleCollections: 'omit' })],
  pgServices: [makePgService({ connectionString, schemas: ['public'], poolConfig: { max: Number(poolSize) } })],
  grafast: { explain: false },
  grafserv: { graphiql: false, watch: false },
})
const server = createServer()
server.on('error', (error) => console.error(error))
await instance.createServ(grafserv).addTo(server)
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
// An exit of its own, so that a CPU profile is written.
process.once('SIGTERM', () => process.exit())
