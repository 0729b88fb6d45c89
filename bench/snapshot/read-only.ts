/** Binary COPY read and thrown away, where there is no psql; prints its CPU in ms. `node read-only.ts <url> <sql>` */
import pg from 'pg'
import { to } from 'pg-copy-streams'

const [url, sql = ''] = process.argv.slice(2)
const client = new pg.Client(url)
await client.connect()
for await (const _ of client.query(to(sql)));
await client.end()
const { system, user } = process.cpuUsage()
console.log((system + user) / 1000)
