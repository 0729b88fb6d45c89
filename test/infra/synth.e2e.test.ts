import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../../infra/root.ts'
import { STAGES } from '../../infra/stages.ts'
import { counted } from '../support/counts.ts'
import { pythonEnvironment } from '../support/python.ts'

/** A minute of two cores: the command line bundles and validates all stages. */
const isFull = counted(0, 1) === 1
const REQUIREMENTS = { file: path.join(import.meta.dirname, 'cfn-lint-requirements.txt') }
const python = isFull ? await pythonEnvironment('cfn-lint', REQUIREMENTS) : { missing: 'part of the proof' }
/** The framework writes out every dependency; one that a reference tells already is said twice, and changes nothing. */
const ACCEPTED = 'W3005'

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

interface Ended {
  readonly code: number | null
  readonly said: string
}

async function runOffline(program: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(program, args, { cwd: ROOT, env: offline(folder), stdio: ['ignore', 'pipe', 'pipe'] })
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

function synth(output: string, ...words: string[]): Promise<Ended> {
  const args = [
    'synth',
    '--quiet',
    '--no-notices',
    '--no-version-reporting',
    '--output',
    path.join(folder, output),
    ...words,
  ]
  return runOffline('cdk', args)
}

/** By the schemas of CloudFormation for one region: types, properties, values, and what does not go together. */
function lint(region: string, files: readonly string[]): Promise<Ended> {
  const options = ['--regions', region, '--ignore-checks', ACCEPTED, '--format', 'parseable', '--']
  const program = 'python' in python ? path.join(path.dirname(python.python), 'cfn-lint') : ''
  return runOffline(program, [...options, ...files])
}

function templates(output: string): Record<string, string> {
  const names = readdirSync(path.join(folder, output), { recursive: true, encoding: 'utf8' })
  const found = names.filter((name) => name.endsWith('.template.json'))
  return Object.fromEntries(found.map((name) => [name, readFileSync(path.join(folder, output, name), 'utf8')]))
}

describe.runIf(isFull)('cdk synth, without network and without credentials', () => {
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

  it.skipIf('missing' in python)(
    'makes templates in which cfn-lint finds nothing, for the region of each stage',
    async () => {
      for (const { name, region } of STAGES) {
        const files = Object.keys(templates('first')).filter((file) => file.startsWith(`assembly-${name}/`))
        expect(files.length).toBeGreaterThan(5)
        const paths = files.map((file) => path.join(folder, 'first', file))
        expect(await lint(region, paths), name).toEqual({ code: 0, said: '' })
      }
      const broken = path.join(folder, 'broken.template.json')
      const instance = {
        Type: 'AWS::RDS::DBInstance',
        Properties: { Engine: 'postgres', DBInstanceClass: 'db.z9.odd' },
      }
      writeFileSync(broken, JSON.stringify({ Resources: { Instance: instance } }))
      const { code, said } = await lint(STAGES[0]?.region ?? '', [broken])
      expect(code).not.toBe(0)
      expect(said).toContain('db.z9.odd')
    },
  )

  it('refuses a stage that is not there, by the names of those that are', async () => {
    const { code, said } = await synth('none', '-c', 'stage=production')
    expect(code).toBe(1)
    expect(said).toContain('dev, prod, small')
  })
})
