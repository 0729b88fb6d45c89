import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../../infra/root.ts'
import { STAGES } from '../../infra/stages.ts'
import { counted } from '../support/counts.ts'

/** Every address is a port of this machine at which nobody listens, and there is neither a home nor a credential. */
const offline = (home: string): NodeJS.ProcessEnv => ({
  PATH: `${path.join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`,
  HOME: home,
  CI: '1',
  CDK_DISABLE_CLI_TELEMETRY: '1',
  AWS_EC2_METADATA_DISABLED: 'true',
  ...Object.fromEntries(
    ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map((name) => [name, 'http://127.0.0.1:9']),
  ),
})

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'synth-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function synth(output: string, ...words: string[]): Promise<{ code: number | null; said: string }> {
  const args = [
    'synth',
    '--quiet',
    '--no-notices',
    '--no-version-reporting',
    '--output',
    path.join(folder, output),
    ...words,
  ]
  const child = spawn('cdk', args, { cwd: ROOT, env: offline(folder), stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  return { code: await promise, said }
}

function templates(output: string): Record<string, string> {
  const names = readdirSync(path.join(folder, output), { recursive: true, encoding: 'utf8' })
  const found = names.filter((name) => name.endsWith('.template.json'))
  return Object.fromEntries(found.map((name) => [name, readFileSync(path.join(folder, output, name), 'utf8')]))
}

// A minute of two cores: the command line bundles and validates all stages.
describe.runIf(counted(0, 1) === 1)('cdk synth, without network and without credentials', () => {
  it('makes the templates of all stages, the same twice, and accepts no finding in silence', async () => {
    expect(await synth('first')).toMatchObject({ code: 0 })
    expect(await synth('second')).toMatchObject({ code: 0 })
    const [first, second] = [templates('first'), templates('second')]
    for (const { name } of STAGES)
      expect(Object.keys(first).filter((file) => file.includes(name)).length).toBeGreaterThan(5)
    expect(second).toEqual(first)
    const { pluginReports } = JSON.parse(readFileSync(path.join(folder, 'first/validation-report.json'), 'utf8'))
    expect(pluginReports.map(({ conclusion }: { conclusion: string }) => conclusion)).not.toContain('failure')
    expect(pluginReports.flatMap(({ violations }: { violations: unknown[] }) => violations)).toEqual([])
  })

  it('refuses a stage that is not there, by the names of those that are', async () => {
    const { code, said } = await synth('none', '-c', 'stage=production')
    expect(code).toBe(1)
    expect(said).toContain('dev, prod, small')
  })
})
