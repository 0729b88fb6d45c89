import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')
const SRC = path.join(ROOT, 'src')
/** What the infrastructure may take of the program: definitions that call nobody. Each of them imports no more than these. */
const DEFINITIONS = [
  ...['lake/datasets', 'lake/contract', 'lake/object-keys', 'lake/bucket-rules', 'lake/manifest', 'errors'],
  ...['lake/catalogue/crawler-definition', 'lake/catalogue/table-definition'],
  ...['lake/athena/work-group-definition', 'lake/athena/named-query-text', 'lake/athena/saved-queries'],
]

/** Targets below src that a file imports; those of types alone are left out. */
function imported(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^(?:import|export)\s(?!type\s)[^'"]*['"]([^'"]+)['"]/gm)]
    .map(([, specifier = '']) => specifier)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => path.relative(SRC, path.resolve(path.dirname(file), specifier)).replace(/\.ts$/, ''))
    .filter((target) => !target.startsWith('..'))
}

const infraFiles = readdirSync(path.join(ROOT, 'infra'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => path.join(entry.parentPath, entry.name))

it('takes nothing of the program but definitions, which are the same for a local lake and for a deployed one', () => {
  const taken = infraFiles.flatMap((file) => imported(file).map((target) => `${path.relative(ROOT, file)} ${target}`))
  expect(taken.length).toBeGreaterThan(5)
  expect(taken.filter((each) => !DEFINITIONS.includes(each.split(' ')[1] ?? ''))).toEqual([])
})

it('finds these definitions pure: they import no client and nothing that calls one', () => {
  const broken = DEFINITIONS.flatMap((name) => {
    const file = path.join(SRC, `${name}.ts`)
    const packages = [
      ...readFileSync(file, 'utf8').matchAll(/^import\s(?!type\s)[^'"]*['"](@aws-sdk[^'"]+|pg|express)['"]/gm),
    ]
    const beyond = imported(file).filter((target) => !DEFINITIONS.includes(target))
    return [...packages.map(([, each]) => `${name} ${each}`), ...beyond.map((each) => `${name} ${each}`)]
  })
  expect(broken).toEqual([])
})
