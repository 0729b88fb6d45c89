import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'

/**
 * Prisma's schema engine as WebAssembly over the driver adapter: it compares schema, migrations and databases without a native
 * binary. Only tests use it.
 *
 * Three faults of the adapter (7.10) are mended here: it rejects catalogue columns of type "char", it splits scripts at every
 * semicolon, and it drops the shadow database before its connections are closed.
 */

const CHAR_OID = 18
const TEXT_OID = 25

/** Columns of type "char" of the query that runs, by position. */
const charColumns = new AsyncLocalStorage<number[]>()

/** A pool whose answers call "char" text, which the adapter can read, and remember where they did. */
function catalogPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const query = pool.query.bind(pool) as unknown as (...args: unknown[]) => Promise<pg.QueryResult | pg.QueryResult[]>
  const patched = async (...args: unknown[]) => {
    const results = await query(...args)
    for (const result of [results].flat()) {
      result.fields?.forEach((field, index) => {
        if (field.dataTypeID !== CHAR_OID) return
        field.dataTypeID = TEXT_OID
        charColumns.getStore()?.push(index)
      })
    }
    return results
  }
  return Object.assign(pool, { query: patched })
}

async function catalogAdapter(url: string): Promise<SqlDriverAdapter> {
  const pool = catalogPool(url)
  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect()
  const queryRaw = adapter.queryRaw.bind(adapter)
  adapter.queryRaw = (query) =>
    charColumns.run([], async () => {
      const result = await queryRaw(query)
      for (const index of charColumns.getStore() ?? []) result.columnTypes[index] = ColumnTypeEnum.Character
      return result
    })
  // As one simple query: function bodies stay whole, and a failure undoes all of it.
  adapter.executeScript = async (script) => {
    await pool.query(script)
  }
  return adapter
}

function adapterFactory(url: string): SqlMigrationAwareDriverAdapterFactory {
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => catalogAdapter(url),
    connectToShadowDb: async () => {
      const admin = new pg.Client(url)
      await admin.connect()
      const name = `shadow_${randomUUID().replaceAll('-', '')}`
      await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`)
      const shadowUrl = new URL(url)
      shadowUrl.pathname = `/${name}`
      const adapter = await catalogAdapter(shadowUrl.href)
      const dispose = adapter.dispose.bind(adapter)
      adapter.dispose = async () => {
        await dispose()
        await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
        await admin.end()
      }
      return adapter
    },
  }
}

let loaded = false

function loadEngine(): typeof engineModule {
  if (loaded) return engineModule
  // Without the registry a panic inside the engine looks like a TypeError.
  Object.assign(globalThis, {
    PRISMA_WASM_PANIC_REGISTRY: {
      message: '',
      set_message(message: string) {
        this.message = message
      },
    },
  })
  const { resolve } = createRequire(import.meta.url)
  const folder = path.dirname(resolve('@prisma/schema-engine-wasm/schema_engine_bg'))
  const compiled = new WebAssembly.Module(readFileSync(path.join(folder, 'schema_engine_bg.wasm')))
  const instance = new WebAssembly.Instance(compiled, {
    './schema_engine_bg.js': engineModule as unknown as WebAssembly.ModuleImports,
  })
  engineModule.__wbg_set_wasm(instance.exports)
  ;(instance.exports.__wbindgen_start as () => void)()
  loaded = true
  return engineModule
}

const NO_FILTERS = { externalTables: [], externalEnums: [] }

function migrationsTarget(dir: string) {
  const names = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  return {
    tag: 'migrations' as const,
    baseDir: dir,
    lockfile: { path: 'migration_lock.toml', content: readFileSync(path.join(dir, 'migration_lock.toml'), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: names.map((name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(path.join(dir, name, 'migration.sql'), 'utf8') },
      },
    })),
  }
}

export interface SchemaEngine {
  /** What would turn the database into the schema, in words; undefined when they are the same. */
  diffDatabase(): Promise<string | undefined>
  /** What would turn the outcome of the migrations into the schema; undefined when they are the same. */
  diffMigrations(dir: string): Promise<string | undefined>
  close(): void
}

/** Compares `schemaFile` with the database at `url`, whose user must be allowed to create databases. */
export async function openSchemaEngine(url: string, schemaFile: string): Promise<SchemaEngine> {
  const { SchemaEngine: Engine } = loadEngine()
  const content = readFileSync(schemaFile, 'utf8')
  const files = [{ path: schemaFile, content }]
  const engine = await Engine.new(
    { datamodels: [[schemaFile, content]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(adapterFactory(url)),
  )
  const diff = async (from: Parameters<typeof engine.diff>[0]['from']): Promise<string | undefined> => {
    const to = { tag: 'schemaDatamodel' as const, files }
    const answer = await engine.diff({
      from,
      to,
      script: false,
      exitCode: true,
      filters: NO_FILTERS,
    })
    return answer.exitCode === 0 ? undefined : (answer.stdout ?? 'they differ')
  }
  return {
    diffDatabase: () => diff({ tag: 'schemaDatasource', files, configDir: path.dirname(schemaFile) }),
    diffMigrations: (dir) => diff(migrationsTarget(dir)),
    close: () => engine.free(),
  }
}
