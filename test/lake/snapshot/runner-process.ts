/** A snapshot in a process that a test may kill: `node runner-process.ts <place> <settings>`, both JSON; key in hex. */
import { runSnapshot } from '../../../src/lake/snapshot/run.ts'
import { type LakePlace, openLake } from './test-lake.ts'

const [place = '', settings = '{}'] = process.argv.slice(2)
const { close, lake } = openLake(JSON.parse(place) as LakePlace, JSON.parse(settings))
try {
  const { id } = await runSnapshot(lake)
  process.stdout.write(id)
} finally {
  await close()
}
