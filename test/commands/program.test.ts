import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { settingsMissing } from '../../src/commands/environment.ts'
import { COMMANDS } from '../../src/commands/program.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname

async function cli(...words: string[]) {
  return promisify(execFile)(process.execPath, [main, ...words]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stderr, stdout }: { code: number; stderr: string; stdout: string }) => ({ code, stdout, stderr }),
  )
}

describe('the command line', () => {
  test.each(COMMANDS.map((each) => [each.names.join(', '), each] as const))(
    'finds %s in the file that is named for it',
    async (_, { load, names }) => {
      const program = new Command()
      ;(await load())(program)
      expect(program.commands.map((command) => command.name())).toEqual(names)
    },
  )

  test('names every command in its help, and knows what a wrong word may have meant', async () => {
    const [help, wrong] = await Promise.all([cli('--help'), cli('snapshto')])
    const names = COMMANDS.flatMap((each) => each.names)
    expect(names.filter((name) => !new RegExp(`^  ${name}\\b`, 'm').test(help.stdout))).toEqual([])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean snapshot?') })
  })
})

describe('settings that are missing where nothing stands in for them', () => {
  test.each([
    [
      'the service',
      { uses: 'database-and-lake', when: 'own' },
      {},
      'DATABASE_URL LAKE_BUCKET LAKE_RESULTS API_KEY_PEPPER CURSOR_KEY',
    ],
    [
      'the service',
      { uses: 'database-and-lake', when: 'own' },
      { DATABASE_HOST: 'h', CURSOR_KEY: 'c', LAKE_BUCKET: 'b' },
      'LAKE_RESULTS API_KEY_PEPPER',
    ],
    ['a command without a lake', { uses: 'database' }, {}, 'DATABASE_URL'],
    ['a command of the lake', {}, { DATABASE_URL: 'postgresql://h/d', LAKE_BUCKET: '' }, 'LAKE_BUCKET LAKE_RESULTS'],
  ] as const)('are told for %s', (_, options, env, names) => {
    expect(settingsMissing(env, options).join(' ')).toBe(names)
  })
})
