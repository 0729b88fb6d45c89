// One embedded cluster for the run (global setup), a clone of its migrated template database per test file. Tests wait for processes
// of theirs a third of the time: three workers keep two cores busy.
// Without isolation a worker keeps its modules: a quarter of the CPU. So test files must not leave global state behind.
import os from 'node:os'
import path from 'node:path'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/support/postgres.ts'],
    // Tests start hundreds of processes: where one finds its sources compiled, its start takes half the CPU.
    env: { NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'node-compile-cache') },
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // Of a busy machine: whoever asks again and again ends when it is so.
    expect: { poll: { timeout: 30_000, interval: 20 } },
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/generated/**'], reporter: ['text-summary'] },
  },
})
