import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { XMLParser } from 'fast-xml-parser'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { GLUE_JOBS } from '../../src/local/spark/spark-environment.ts'
import { startTestAws, type TestAws } from '../support/local-aws.ts'
import { sparkEnvironment } from '../support/python.ts'
import { endPytest, startPytest } from './pytest-run.ts'

/**
 * The tests of the Spark jobs, written in Python: one pytest with one Spark runs all of them, and each of its files is a test here.
 * `npm run test:python -- <pytest arguments>` runs some of them alone.
 */

const spark = await sparkEnvironment()
const skipped = 'missing' in spark ? ` (skipped: ${spark.missing})` : ''
const FILES = readdirSync(path.join(GLUE_JOBS, 'tests')).filter((name) => /^test_\w+\.py$/.test(name))
const WORDS = 20_000

/** As pytest writes it by `--junit-xml`. */
interface Case {
  readonly classname: string
  readonly name: string
  readonly failure?: unknown
  readonly error?: unknown
  readonly skipped?: { readonly message?: string }
}

interface Report {
  readonly cases: readonly Case[]
  readonly code: number | null
  readonly output: string
}

function readCases(file: string): Case[] {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (name) => name === 'testcase',
  })
  const { testsuites } = parser.parse(readFileSync(file, 'utf8')) as {
    testsuites: { testsuite: { testcase?: readonly Case[] } }
  }
  return [...(testsuites.testsuite.testcase ?? [])]
}

const words = (found: unknown): string =>
  typeof found === 'object' && found !== null && '#text' in found ? String(found['#text']) : JSON.stringify(found)

describe.skipIf('missing' in spark)(`the Spark jobs${skipped}`, () => {
  let aws: TestAws
  let pytest: ReturnType<typeof startPytest> | undefined
  let report: Report
  const folder = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-pytest-'))

  beforeAll(async () => {
    if ('missing' in spark) return
    aws = await startTestAws()
    const file = path.join(folder, 'report.xml')
    const place = { spark, adminUrl: inject('postgresAdminUrl'), aws }
    pytest = startPytest(place, ['--quiet', `--junit-xml=${file}`], 'pipe')
    let output = ''
    for (const stream of [pytest.stdout, pytest.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-WORDS)
      })
    }
    const [code] = (await once(pytest, 'close')) as [number | null]
    report = { code, output, cases: readCases(file) }
  }, 3_600_000)

  afterAll(async () => {
    if (pytest !== undefined) endPytest(pytest)
    await aws?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(FILES)('%s', (file) => {
    const cases = report.cases.filter((each) => each.classname.split('.').includes(file.replace(/\.py$/, '')))
    const failed = cases.flatMap((each) => {
      const why = each.failure ?? each.error
      return why === undefined ? [] : [`${each.name}\n${words(why)}`]
    })
    // pytest writes none for a file that it could not even load.
    if (cases.length === 0) throw new Error(`pytest ran no test of ${file}:\n${report.output}`)
    if (failed.length > 0) throw new Error(failed.join('\n\n'))
    const skippedCases = cases.filter(({ skipped }) => skipped && !skipped.message?.startsWith('with PROOF=full'))
    expect(skippedCases.map((each) => each.name)).toEqual([])
  })

  test('pytest itself ends without a complaint', () => {
    if (report.code !== 0) throw new Error(`pytest ended with ${report.code}:\n${report.output}`)
  })
})
