import { mkdtemp, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { localSecrets } from '../../src/local/secrets.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'rocketgames-secrets-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

it('are made once, for their owner alone', async () => {
  const first = localSecrets(root)
  expect(Object.values(first)).toEqual(Array(3).fill(expect.stringMatching(/^[0-9a-f]{64}$/)))
  expect(new Set(Object.values(first)).size).toBe(3)
  expect(localSecrets(root)).toEqual(first)
  expect((await stat(path.join(root, 'secrets.json'))).mode & 0o777).toBe(0o600)
})

const FOLDERS = 25
/** Threads that ask at the same instant, folder after folder. */
const ASKER = `
  const { workerData, parentPort } = require('node:worker_threads')
  import(workerData.module).then(({ localSecrets }) => {
    const gate = new Int32Array(workerData.gate)
    const got = []
    for (const [round, dir] of workerData.dirs.entries()) {
      Atomics.add(gate, round, 1)
      while (Atomics.load(gate, round) < workerData.askers);
      got.push(localSecrets(dir))
    }
    parentPort.postMessage(got)
  })
`

it('of two first starts at the same instant are the same', async () => {
  const dirs = Array.from({ length: FOLDERS }, (_, i) => path.join(root, String(i)))
  const gate = new SharedArrayBuffer(4 * FOLDERS)
  const module = new URL('../../src/local/secrets.ts', import.meta.url).href
  const ask = () =>
    new Promise<unknown[]>((resolve, reject) => {
      new Worker(ASKER, { eval: true, workerData: { module, gate, dirs, askers: 2 } })
        .once('message', resolve)
        .once('error', reject)
    })
  const [one, other] = await Promise.all([ask(), ask()])
  expect(one).toEqual(other)
  expect(one).toEqual(dirs.map(localSecrets))
})
