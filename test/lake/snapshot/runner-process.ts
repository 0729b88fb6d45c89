/** A work on the lake in a process that a test may end or stop: `node runner-process.ts <place> <settings> [<work>]`, JSON all. */
import { type LakePlace, openLake } from './test-lake.ts'
import { WORKS, type Work } from './works.ts'

const [place = '', settings = '{}', work = 'run'] = process.argv.slice(2)
const open = openLake(JSON.parse(place) as LakePlace, JSON.parse(settings))
try {
  process.stdout.write(await WORKS[work as Work](open))
} catch (error) {
  process.stdout.write((error as { code?: string }).code ?? String(error))
  process.exitCode = 1
} finally {
  await open.close()
}
