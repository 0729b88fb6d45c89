/**
 * `npm run bench` lists the benches, `npm run bench -- <name> [options]` runs one. A bench is a file in this folder that exports
 * `summary` (one line), `OPTIONS` and `run`, which takes their values; it prints a table and is never part of `npm test`. With
 * `--help` it tells its options.
 */
import { readdirSync } from 'node:fs'
import { type ProgramOptions, readOptions } from '../scripts/read-options.ts'

export interface Bench {
  readonly summary: string
  readonly OPTIONS: ProgramOptions
  run(options: unknown): Promise<void>
}

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length))

const load = (name: string) => import(`./${name}.ts`) as Promise<Bench>

const [wanted, ...given] = process.argv.slice(2)
if (wanted !== undefined && names.includes(wanted)) {
  const { summary: about, OPTIONS: options, run } = await load(wanted)
  await run(readOptions({ usage: `npm run bench -- ${wanted} [options]`, about, options }, given))
} else {
  const isMistaken = wanted !== undefined && wanted !== '--help' && wanted !== '-h'
  if (isMistaken) console.error(`There is no bench ${wanted}`)
  else console.log('Usage: npm run bench -- <name> [options]; --help behind a name tells its options\n')
  for (const name of names) console.log(`${name.padEnd(16)} ${(await load(name)).summary}`)
  process.exitCode = isMistaken ? 2 : 0
}
