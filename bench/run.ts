/**
 * `npm run bench` lists the benches, `npm run bench -- <name> [options]` runs one. A bench is a file in this folder that exports
 * `summary` (one line) and `run(options)`; it prints a table and is never part of `npm test`.
 */
import { readdirSync } from 'node:fs'

export interface Bench {
  readonly summary: string
  run(options: readonly string[]): Promise<void>
}

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length))

const load = (name: string) => import(`./${name}.ts`) as Promise<Bench>

const [wanted, ...options] = process.argv.slice(2)
if (wanted !== undefined && names.includes(wanted)) {
  await (await load(wanted)).run(options)
} else {
  if (wanted !== undefined) console.error(`There is no bench ${wanted}`)
  for (const name of names) console.log(`${name.padEnd(16)} ${(await load(name)).summary}`)
  process.exitCode = wanted === undefined ? 0 : 2
}
