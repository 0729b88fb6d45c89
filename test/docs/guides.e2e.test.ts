import { mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorld } from '../contract/world.ts'
import { projectWithPackage, typeErrors } from '../support/built-package.ts'
import { quickNpx } from '../support/npx.ts'
import { newPlayer } from '../support/records.ts'
import { ROOT, removeFolder, run, runCommand, type Service, startService } from '../support/service.ts'
import { difference, type Example, examplesOf } from './guide-blocks.ts'

/** In the order in which they are read: later ones go on with what earlier ones made. */
const GUIDES = [
  'getting-started',
  'paging',
  'errors',
  'concurrency',
  'imports-and-exports',
  'personal-data',
  'rate-limits',
  'snapshots',
  'curated',
  'warehouse',
  'observability',
  'operations',
] as const

/** They need an account of AWS, or are generated: tests of their own read them. */
const ELSEWHERE = ['costs', 'deploy', 'function', 'roles'] as const

let service: Service
let folder: string
let project: string
let env: Record<string, string>

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-guides-'))
  const [started, built] = await Promise.all([
    startService({ env: { SAMPLE_DATA: 'off', LAKE_SCHEDULER: 'none' } }).then(async (each) => {
      await each.saw(/ready to use/i)
      return each
    }),
    projectWithPackage(folder),
  ])
  service = started
  project = built
  const printed = JSON.parse((await runCommand(['env', '--json'], { LOCAL_DATA_DIR: service.dir })).stdout)
  const world = await createWorld(printed.API_URL, printed.API_KEY)
  env = {
    API_URL: printed.API_URL,
    API_KEY: printed.API_KEY,
    LOCAL_DATA_DIR: service.dir,
    PATH: quickNpx(folder),
    READ_KEY: await world.token(['players:read', 'library:read']),
    PLAYER_ID: (await newPlayer(world.api)).id,
    GAME_ID: world.value('/v1/games/{id}', 'id'),
  }
}, 300_000)

afterAll(async () => {
  await service?.stop()
  removeFolder(service.dir)
  removeFolder(folder)
})

const fileOf = ({ guide, line }: Example) => path.join(project, `${guide}-${line}.ts`)

describe.each(GUIDES.filter((guide) => examplesOf(guide).length > 0))('the guide %s', (guide) => {
  it.each(examplesOf(guide).map((example) => [`${example.language}, line ${example.line}`, example] as const))(
    'is right in its example (%s)',
    async (_, example) => {
      if (example.language === 'ts') writeFileSync(fileOf(example), example.code)
      const done =
        example.language === 'sh'
          ? await run('bash', ['-euo', 'pipefail', '-c', example.code], env)
          : await run(process.execPath, ['--disable-warning=ExperimentalWarning', fileOf(example)], env)
      expect(done.code, done.stderr).toBe(0)
      if (example.shown !== undefined) expect(difference(example.shown, done.stdout), done.stdout).toBeUndefined()
    },
  )
})

/** Serves the page from the build, asks for its parts and prints their statuses. */
const BUILT_PAGE = `
import express from 'express'
import { apiPage } from './dist/http/api-page/api-page.js'
const server = express().use(apiPage()).listen(0, '127.0.0.1', async () => {
  const at = 'http://127.0.0.1:' + server.address().port
  for (const path of ['/docs', '/docs/start.js', '/docs/page.css', '/docs/swagger-ui-bundle.js', '/docs/guides/errors']) {
    console.log((await fetch(at + path)).status)
  }
  server.close()
  server.closeAllConnections()
})`

describe('the built package', () => {
  it('serves the API page and the guides', async () => {
    const built = path.join(folder, 'package')
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(built, 'node_modules'))
    writeFileSync(path.join(built, 'serve-page.js'), BUILT_PAGE)
    const done = await run(process.execPath, [path.join(built, 'serve-page.js')])
    expect(done.stdout.trim().split('\n'), done.stderr).toEqual(Array(5).fill('200'))
  })
})

describe('the guides', () => {
  it('have examples that type-check in a project that has nothing but the package', async () => {
    expect(await typeErrors(project)).toBe('')
  })

  it('are all read here, show an answer to each request, and point only at pages that exist', async () => {
    const files = readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))
    expect(files.sort()).toEqual([...GUIDES, ...ELSEWHERE].map((name) => `${name}.md`).sort())
    const silent = GUIDES.flatMap(examplesOf).filter(({ shown, code }) => shown === undefined && !code.includes('eval'))
    expect(silent).toEqual([])
  })
})
