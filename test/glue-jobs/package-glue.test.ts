import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packageGlue } from '../../scripts/package-glue.ts'
import { contractSetFingerprint } from '../../src/lake/contract.ts'
import { gluePython } from '../support/python.ts'
import { run } from '../support/service.ts'

const python = await gluePython()
const folder = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-package-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('what AWS Glue gets is three scripts and one zip file, equal bytes each time', () => {
  const [one, two] = [path.join(folder, 'one'), path.join(folder, 'two')]
  packageGlue(one)
  packageGlue(two)
  const names = ['curate_accounts.py', 'load_warehouse.py', 'rocketgames_glue.zip', 'unload_snapshot.py']
  expect(readdirSync(one).sort()).toEqual(names)
  for (const name of names)
    expect(readFileSync(path.join(one, name)).equals(readFileSync(path.join(two, name)))).toBe(true)
})

test.skipIf('missing' in python)('Python imports the package from the zip file, with the contract inside', async () => {
  const zip = path.join(folder, 'three/rocketgames_glue.zip')
  packageGlue(path.dirname(zip))
  const program = [
    'import sys, zipfile',
    `sys.path.insert(0, ${JSON.stringify(zip)})`,
    'assert zipfile.ZipFile(sys.path[0]).testzip() is None',
    'import rocketgames_glue.jobs.curate, rocketgames_glue.jobs.load, rocketgames_glue.jobs.unload',
    'from rocketgames_glue.contract import load_contract',
    'print(load_contract().set_fingerprint, rocketgames_glue.__file__.startswith(sys.path[0]))',
  ].join('\n')
  const done = await run('python' in python ? python.python : '', ['-c', program])
  expect(`${done.stdout}${done.stderr}`).toBe(`${contractSetFingerprint} True\n`)
})
