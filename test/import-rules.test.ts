import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * Who may import whom, as data. The first row whose pattern matches a file holds for it. `src` lists what it may import from
 * src (its own folder is always allowed), `never` the packages it must not import.
 */
interface Rule {
  readonly files: RegExp
  readonly src: readonly RegExp[]
  readonly never?: RegExp
}

/** Words that every part shares: errors, traces, who calls, a list request, names, ids, the dataset contract. */
const EVERYWHERE = [/^(errors|logger|metrics|tracing|caller|list|naming|identifier)$/, /^lake\/(datasets|contract)$/]
const EXPRESS = '^(express|supertest)$'
const PRISMA = '^(@prisma/|pg$|pg-)'
const AWS = '^@aws-sdk/'
const NOUN = /^accounts\/[a-z-]+\/[a-z-]+$/
const NOT_A_NOUN = /-(store|service|schema|routes)$/

const rules: readonly Rule[] = [
  { files: /^main$/, src: [/./] },
  { files: /^lambda$/, src: [/./] },
  { files: /^lambda\//, src: [/^http\//], never: new RegExp(`${EXPRESS}|${PRISMA}|${AWS}`) },
  { files: /^commands\//, src: [/./] },
  {
    files: /^(errors|logger|metrics|tracing|config|lake-config|settings|setting-kinds)$/,
    src: [/^(errors|lake-config|settings|setting-kinds)$/],
    never: new RegExp(`${EXPRESS}|${PRISMA}|${AWS}`),
  },
  { files: /^(caller|list|naming|identifier)$/, src: [], never: new RegExp(`${EXPRESS}|${PRISMA}|${AWS}|^zod`) },
  { files: /^lake\/datasets$/, src: [], never: /./ },
  { files: /^lake\/contract$/, src: [/^lake\/datasets$/], never: new RegExp(`${EXPRESS}|${PRISMA}|${AWS}`) },
  { files: /^generated\//, src: [/^generated\//] },
  { files: /^database\//, src: [/^generated\//], never: new RegExp(`${EXPRESS}|${AWS}|^zod`) },
  { files: /^http\//, src: [/^http\//], never: new RegExp(`${PRISMA}|${AWS}`) },
  {
    files: /^accounts\/.*-store$/,
    src: [/^database\//, /^generated\//, NOUN],
    never: new RegExp(`${EXPRESS}|${AWS}|^zod`),
  },
  {
    files: /^accounts\/.*-service$/,
    src: [/^database\//, NOUN, /^accounts\/.*-(store|service)$/],
    never: new RegExp(`${EXPRESS}|${PRISMA}|${AWS}|^zod`),
  },
  {
    files: /^accounts\/.*-(routes|schema|presenter)$/,
    src: [/^http\//, NOUN, /^accounts\/.*-(service|schema|presenter)$/],
    never: new RegExp(`${PRISMA}|${AWS}`),
  },
  { files: /^accounts\//, src: [NOUN], never: new RegExp(`${EXPRESS}|${PRISMA}|${AWS}|^zod`) },
  {
    files: /^imports\//,
    src: [/^accounts\/.*-(service|schema)$/, NOUN, /^http\//, /^jobs\/job(-schema|-presenter)?$/],
    never: new RegExp(`${PRISMA}|${AWS}`),
  },
  { files: /^telemetry\//, src: [/^database\//], never: new RegExp(`${EXPRESS}|${AWS}|^zod`) },
  { files: /^jobs\/.*-(routes|schema|presenter)$/, src: [/^http\//], never: new RegExp(`${PRISMA}|${AWS}`) },
  { files: /^jobs\/job$/, src: [], never: /./ },
  { files: /^jobs\//, src: [/^database\//, /^generated\//], never: new RegExp(`${EXPRESS}|${AWS}|^zod`) },
  {
    files: /^exports\/.*-(routes|schema)$/,
    src: [/^http\//, /^accounts\/.*-(schema|presenter)$/, NOUN, /^jobs\/job(-schema|-presenter)?$/],
    never: new RegExp(`${PRISMA}|${AWS}`),
  },
  {
    files: /^exports\//,
    src: [/^database\//, /^generated\//, /^http\//, NOUN, /^accounts\/.*-service$/, /^jobs\/job$/],
    never: new RegExp(`${EXPRESS}|${AWS}|^zod`),
  },
  // What other projects get: nothing of the service.
  { files: /^client\//, src: [/^client\//], never: new RegExp(`${EXPRESS}|${PRISMA}|${AWS}|^zod`) },
  { files: /^lake\/parquet\//, src: [/^lake\/parquet\//], never: new RegExp(`${EXPRESS}|${PRISMA}|${AWS}|^zod`) },
  { files: /^lake\/storage\//, src: [/^lake\/[a-z-]+$/], never: new RegExp(`${EXPRESS}|${PRISMA}`) },
  { files: /^lake\/catalogue\//, src: [/^lake\/[a-z-]+$/], never: new RegExp(`${EXPRESS}|${PRISMA}`) },
  { files: /^lake\/(ecs|spark)\//, src: [/^lake\/[a-z-]+$/], never: new RegExp(`${EXPRESS}|${PRISMA}`) },
  { files: /^lake\/athena\//, src: [/^lake\/[a-z-]+$/], never: new RegExp(`${EXPRESS}|${PRISMA}`) },
  { files: /^lake\/snapshot\//, src: [/^lake\//, /^database\//, /^generated\//], never: new RegExp(EXPRESS) },
  { files: /^lake\/[a-z-]+-routes$/, src: [/^lake\//, /^http\//], never: new RegExp(`${PRISMA}|${AWS}`) },
  { files: /^lake\/[a-z-]+$/, src: [/^lake\//, /^database\//, /^generated\//, /^http\//, /^settings$/] },
  { files: /^local\//, src: [/^local\//, /^lake\/[a-z-]+$/], never: new RegExp(EXPRESS) },
]

const SRC = path.resolve(import.meta.dirname, '../src')
const FORBIDDEN_NAMES = /(^|\/)(utils?|helpers?|common|types|lib)(\.ts|\/|$)/

function sources(folder = SRC): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'generated' ? [] : sources(full)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [full] : []
  })
}

const moduleName = (file: string) => path.relative(SRC, file).replaceAll(path.sep, '/').replace(/\.ts$/, '')

interface Import {
  readonly specifier: string
  /** Module below src, or undefined for a package. */
  readonly target: string | undefined
  readonly typeOnly: boolean
  readonly dynamic: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const statements = /^\s*(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
  const found: Import[] = []
  const add = (specifier: string, typeOnly: boolean, dynamic: boolean) => {
    const local = specifier.startsWith('.')
    const target = local ? moduleName(path.resolve(path.dirname(file), specifier)) : undefined
    found.push({ specifier, target, typeOnly, dynamic })
  }
  for (const [, , type, specifier] of text.matchAll(statements)) add(specifier ?? '', type !== undefined, false)
  for (const [, specifier] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)) add(specifier ?? '', false, true)
  return found
}

const files = sources().map((file) => ({ file, module: moduleName(file), imports: importsOf(file) }))

describe('the import rules of the architecture', () => {
  it('cover every file', () => {
    expect(files.filter((f) => !rules.some((r) => r.files.test(f.module))).map((f) => f.module)).toEqual([])
  })

  it('hold: no file imports what its folder must not', () => {
    const broken: string[] = []
    for (const { module, imports } of files) {
      const rule = rules.find((r) => r.files.test(module))
      if (!rule) continue
      const own = `${path.posix.dirname(module)}/`
      for (const { specifier, target } of imports) {
        if (target === undefined) {
          if (!specifier.startsWith('node:') && rule.never?.test(specifier)) broken.push(`${module} -> ${specifier}`)
          continue
        }
        const sameFolder = own !== './' && target.startsWith(own)
        const allowed = [...EVERYWHERE, ...rule.src].some((r) => r.test(target))
        if (!sameFolder && !allowed) broken.push(`${module} -> ${target}`)
      }
    }
    expect(broken).toEqual([])
  })

  it('let a noun import only nouns', () => {
    const nouns = files.filter(
      (f) => NOUN.test(f.module) && !NOT_A_NOUN.test(f.module) && !/-presenter$/.test(f.module),
    )
    const broken = nouns.flatMap((f) =>
      f.imports
        .filter((i) => i.target !== undefined && NOUN.test(i.target) && NOT_A_NOUN.test(i.target))
        .map((i) => `${f.module} -> ${i.target}`),
    )
    expect(broken).toEqual([])
  })

  it('keep a store away from the stores of other resources', () => {
    const broken = files
      .filter((f) => /-store$/.test(f.module))
      .flatMap((f) =>
        f.imports
          .filter((i) => i.target && /-store$/.test(i.target) && !/^accounts\/audit\//.test(i.target))
          .filter((i) => path.posix.dirname(i.target ?? '') !== path.posix.dirname(f.module))
          .map((i) => `${f.module} -> ${i.target}`),
      )
    expect(broken).toEqual([])
  })

  it('keep the stand-ins out of production code: only the composition root reaches local/, and only dynamically', () => {
    const broken = files
      .filter((f) => !f.module.startsWith('local/'))
      .flatMap((f) =>
        f.imports
          .filter((i) => i.target?.startsWith('local/'))
          .filter((i) => !((f.module === 'main' || f.module.startsWith('commands/')) && (i.dynamic || i.typeOnly)))
          .map((i) => `${f.module} -> ${i.target}`),
      )
    expect(broken).toEqual([])
  })

  it('let nobody import the composition root', () => {
    const broken = files
      .filter((f) => !/^(main|lambda|commands\/.*)$/.test(f.module))
      .flatMap((f) => f.imports.filter((i) => /^(main|lambda|commands\/.*)$/.test(i.target ?? '')).map(() => f.module))
    expect(broken).toEqual([])
  })

  it('allow no circular imports, of types neither', () => {
    const graph = new Map(
      files.map((f) => [f.module, f.imports.flatMap((i) => (i.target && !i.dynamic ? [i.target] : []))]),
    )
    const cycles: string[] = []
    const state = new Map<string, 'open' | 'done'>()
    const visit = (node: string, trail: readonly string[]): void => {
      if (state.get(node) === 'done') return
      if (state.get(node) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(node)), node].join(' -> '))
        return
      }
      state.set(node, 'open')
      for (const next of graph.get(node) ?? []) visit(next, [...trail, node])
      state.set(node, 'done')
    }
    for (const node of graph.keys()) visit(node, [])
    expect(cycles).toEqual([])
  })

  it('are about files that are named after what they are', () => {
    expect(files.map((f) => f.module).filter((m) => FORBIDDEN_NAMES.test(`${m}.ts`))).toEqual([])
  })

  it('let only config read the environment for settings', () => {
    const readers = files
      .filter((f) => /process\.env/.test(readFileSync(f.file, 'utf8')))
      .map((f) => f.module)
      .filter((m) => !/^(config$|main$|lambda$|commands\/|local\/)/.test(m))
    expect(readers).toEqual([])
  })
})

describe('package.json', () => {
  it('pins every dependency exactly', () => {
    const manifest = JSON.parse(readFileSync(path.resolve(SRC, '../package.json'), 'utf8')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    )
    expect(loose).toEqual([])
  })

  it('needs nothing in production that only development installs', () => {
    const manifest = JSON.parse(readFileSync(path.resolve(SRC, '../package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    const packageOf = (specifier: string) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')
    const missing = files
      .filter((f) => !f.module.startsWith('local/'))
      .flatMap((f) =>
        f.imports
          .filter((i) => i.target === undefined && !i.typeOnly && !i.specifier.startsWith('node:'))
          .map((i) => packageOf(i.specifier))
          .filter((name) => !(name in manifest.dependencies))
          .map((name) => `${f.module} -> ${name}`),
      )
    expect(missing).toEqual([])
  })
})
