import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../jobs/job-bench.ts'
import { cleanEnvironment, ROOT, removeFolder, runCommand } from '../support/service.ts'
import { proofOf } from './download.ts'

/** `rocketgames export` on a data folder where nothing else runs. */
describe('the command that exports', () => {
  let dir: string
  let env: Record<string, string>
  const at = (name: string) => path.join(dir, name)
  const rocketgames = (...args: string[]) => runCommand(args, env)

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-export-'))
    env = { LOCAL_DATA_DIR: at('data'), LOCAL_AWS_PORT: '0' }
    const players = Array.from({ length: 3000 }, (_, n) => ({ username: `player_${n}`, country: n % 2 ? 'DE' : 'SE' }))
    writeFileSync(at('in.ndjson'), players.map((player) => `${JSON.stringify(player)}\n`).join(''))
    expect((await rocketgames('import', 'players', at('in.ndjson'))).code).toBe(0)
  })
  afterAll(() => removeFolder(dir))

  it('writes a file that the import takes back, unchanged', async () => {
    const out = at('players.csv.gz')
    const { code, stdout, stderr } = await rocketgames('export', 'players', '--expand', 'identities', '--output', out)
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toContain('players: 3,000 rows')
    expect(gunzipSync(readFileSync(out)).toString()).toMatch(/^id,username,[^\r]*,identities\r\n/)
    const back = await rocketgames('import', 'players', out)
    expect(back.stderr).toContain('0 created, 0 updated, 3,000 unchanged, 0 refused')
    expect(back.code).toBe(0)
  })

  it('writes to standard output what filters and fields leave', async () => {
    const filters = ['--filter', 'country=DE', '--filter', 'status[in]=active,closed']
    const { code, stdout } = await rocketgames('export', 'players', ...filters, '--fields', 'country')
    const { said, found, lines } = proofOf(stdout)
    expect([code, said]).toEqual([0, found])
    expect(lines).toHaveLength(1500)
    expect(new Set(lines.map((line) => JSON.parse(line).country))).toEqual(new Set(['DE']))
  })

  /** Its output goes to somebody who reads the beginning only. */
  async function begun() {
    const child = spawn(process.execPath, [path.join(ROOT, 'src/main.ts'), 'export', 'players'], {
      env: cleanEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = text(child.stderr)
    await once(child.stdout, 'readable')
    const ended = once(child, 'exit').then(async ([code]) => [code, await said])
    return { child, ended }
  }

  it('ends with 130 when it is interrupted, also while nobody takes its output', async () => {
    const { child, ended } = await begun()
    child.kill('SIGINT')
    expect(await ended).toEqual([130, 'players: stopped; what was written has no end line\n'])
  })

  it('ends when the program that it writes to has ended', async () => {
    const { child, ended } = await begun()
    child.stdout.destroy()
    expect(await ended).toEqual([1, 'players: nobody reads any more; what was written has no end line\n'])
  })

  it('leaves nothing of a file that is not whole', async () => {
    const args = ['export', 'players', '--output', at('cut.csv')]
    const child = spawn(process.execPath, [path.join(ROOT, 'src/main.ts'), ...args], { env: cleanEnvironment(env) })
    const exit = once(child, 'exit')
    // On a fast machine the file may be whole, and have its name, between two looks.
    await until(async () => readdirSync(dir).some((name) => name.startsWith('cut.csv')))
    child.kill('SIGINT')
    const [code] = await exit
    const left = readdirSync(dir).filter((name) => name.startsWith('cut.csv'))
    expect([code, left]).toEqual(left.includes('cut.csv') ? [0, ['cut.csv']] : [130, []])
  })

  it('refuses what no list knows with 1, wrong usage with 2, and leaves nothing behind', async () => {
    const unknown = await rocketgames('export', 'players', '--filter', 'colour=red', '--output', at('none.csv'))
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('/filter/colour')])
    expect((await rocketgames('export', 'rockets')).code).toBe(2)
    expect((await rocketgames('export', 'players', '--filter', 'colour')).code).toBe(2)
    expect((await rocketgames('export', 'players', '--output', at('no/such/folder.csv'))).code).toBe(2)
    expect(readdirSync(dir).filter((name) => /none|part/.test(name))).toEqual([])
  })
})
