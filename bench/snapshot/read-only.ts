/** Binary COPY read and thrown away, where there is no psql. `node read-only.ts <url> <sql>` prints one line of JSON. */
import pg from 'pg'
import { to } from 'pg-copy-streams'
import { peakRssBytes } from '../../src/lake/snapshot/peak-memory.ts'

const [url, sql = ''] = process.argv.slice(2)
const began = performance.now()
const client = new pg.Client(url)
await client.connect()
for await (const _ of client.query(to(sql)));
await client.end()
const { system, user } = process.cpuUsage()
const peakRssMiB = peakRssBytes() / 2 ** 20
console.log(
  JSON.stringify({ rows: 0, bytes: 0, wallMs: performance.now() - began, cpuMs: (system + user) / 1000, peakRssMiB }),
)
