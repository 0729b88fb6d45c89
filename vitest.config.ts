// One embedded cluster for the run (global setup), a clone of its migrated template database per test file, two workers.
// Without isolation a worker keeps its modules: a quarter of the CPU. So test files must not leave global state behind.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    globalSetup: ['test/support/postgres.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/generated/**'], reporter: ['text-summary'] },
  },
})
