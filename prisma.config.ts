import { defineConfig } from 'prisma/config'

// `generate`, `validate` and `format` only check that the schema engine's file exists; they never run it. Pointing at
// node itself keeps the install free of any download outside the package registry. `prisma migrate` must not be used:
// migrations are applied by `rocketgames migrate`.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? '' },
})
