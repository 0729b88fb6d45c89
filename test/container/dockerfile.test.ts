import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { READY_FILE } from '../../src/commands/local.ts'
import { NOT_SERVED } from '../../src/http/api-page/guide-page.ts'
import { ROOT } from '../support/service.ts'

interface Stage {
  readonly name: string
  readonly from: string
  readonly steps: readonly { readonly word: string; readonly rest: string }[]
}

const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8')

/** The stages of the Dockerfile; continued lines are one step. */
function stages(): Stage[] {
  const lines = read('Dockerfile')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const found: Stage[] = []
  for (const line of lines) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    const [, from = '', name = ''] = /^(\S+) AS (\S+)$/.exec(rest) ?? []
    const last = found.at(-1)
    if (word === 'FROM') found.push({ name, from, steps: [] })
    else if (last !== undefined) found[found.length - 1] = { ...last, steps: [...last.steps, { word, rest }] }
  }
  return found
}

const all = stages()
const stage = (name: string) => all.find((each) => each.name === name) as Stage
const steps = (word: string, of = all) => of.flatMap((each) => each.steps.filter((step) => step.word === word))

/** What COPY takes from the folder of the Dockerfile. */
const copied = steps('COPY')
  .filter(({ rest }) => !rest.startsWith('--from='))
  .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1))

describe('the Dockerfile', () => {
  it('stands on the Node.js that the project asks for, in every stage', () => {
    const { engines, devDependencies } = JSON.parse(read('package.json')) as {
      engines: { node: string }
      devDependencies: { node: string }
    }
    const major = /^ARG NODE_IMAGE=node:(\d+)-bookworm-slim$/m.exec(read('Dockerfile'))?.[1]
    expect(engines.node).toBe(`>=${major}`)
    expect(devDependencies.node.split('.')[0]).toBe(major)
    expect(all.length).toBeGreaterThan(4)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the Dockerfile's
    const known = new Set(['${NODE_IMAGE}'])
    for (const { from, name } of all) {
      expect(known).toContain(from)
      known.add(name)
    }
  })

  it('builds production unless another target is asked for', () => {
    expect(all.at(-1)?.name).toBe('production')
  })

  it('installs what the lock says and runs no script of a package', () => {
    const installs = steps('RUN').filter(({ rest }) => /\bnpm (ci|i|install|add)\b/.test(rest))
    expect(installs).toHaveLength(2)
    for (const { rest } of installs) expect(rest).toMatch(/\bnpm ci .*--ignore-scripts/)
  })

  it('fetches nothing but packages', () => {
    expect(steps('ADD')).toEqual([])
    expect(steps('RUN').filter(({ rest }) => /\b(curl|wget|git clone) |https?:/.test(rest))).toEqual([])
  })

  it.each(['production', 'local-aws'])('lets %s run as a number that is not root, below an init', (name) => {
    const own = [stage(name)]
    expect(steps('USER', own).map(({ rest }) => rest)).toEqual(['1000:1000'])
    expect(steps('ENTRYPOINT', own)[0]?.rest).toBe('["tini", "--", "node", "dist/main.js"]')
    const health = steps('HEALTHCHECK', own)[0]?.rest ?? ''
    const command = JSON.parse(health.slice(health.indexOf('CMD ') + 4)) as string[]
    expect(command.slice(0, 2)).toEqual(['node', '-e'])
    // Its text is a program: an error in it would make every container unhealthy.
    expect(() => new Function('require', command[2] ?? 'return')).not.toThrow()
  })

  it('calls the local endpoint healthy when the lake is set up, and no sooner', () => {
    const health = steps('HEALTHCHECK', [stage('local-aws')])[0]?.rest ?? ''
    expect(health).toContain(`statSync(process.env.LOCAL_DATA_DIR + '/${READY_FILE}')`)
  })

  it('gives production nothing that only development installs', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> }
    const taken = steps('COPY', [stage('runtime'), stage('production')])
    expect(taken.filter(({ rest }) => rest.includes('--from=local-packages'))).toEqual([])
    const named = taken.filter(({ rest }) =>
      Object.keys(devDependencies).some((each) => rest.includes(`node_modules/${each}`)),
    )
    expect(named).toEqual([])
    expect(steps('RUN', [stage('packages')])[0]?.rest).toContain('--omit=dev --omit=optional')
  })

  it('takes no secret: neither as an argument nor into the environment', () => {
    const named = [...steps('ARG'), ...steps('ENV')].filter(({ rest }) =>
      /PASSWORD|SECRET|PEPPER|TOKEN|_KEY/.test(rest),
    )
    expect(named).toEqual([])
  })
})

describe('.dockerignore', () => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))

  it('keeps everything out that it does not let in', () => {
    expect(lines[0]).toBe('*')
    expect(lines).toContain('src/generated')
  })

  it('keeps out the guides that no image serves', () => {
    expect(lines).toEqual(expect.arrayContaining(NOT_SERVED.map((name) => `docs/${name}.md`)))
    expect(NOT_SERVED.filter((name) => !existsSync(path.join(ROOT, `docs/${name}.md`)))).toEqual([])
  })

  it('lets in what is copied, which is there, and nothing else', () => {
    const letIn = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    const files = copied.map((each) => each.replace(/^\.\//, ''))
    expect(files.filter((each) => !existsSync(path.join(ROOT, each)))).toEqual([])
    expect(files.filter((each) => !letIn.some((one) => each === one || each.startsWith(`${one}/`)))).toEqual([])
    expect(letIn.filter((one) => !files.some((each) => each === one || each.startsWith(`${one}/`)))).toEqual([])
  })
})
