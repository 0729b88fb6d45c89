import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { helpText, parseOptions } from '../../scripts/read-options.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

const OPTIONS = {
  players: { type: 'string', default: '1000', least: 1, help: 'players in the database' },
  share: { type: 'string', default: '0.5', above: 0, help: 'of the capacity' },
  kinds: { type: 'string', default: 'plain', among: ['plain', 'identity'], help: 'what they are' },
  baselines: { type: 'boolean', default: true, help: 'without the baselines' },
  dir: { type: 'string', help: 'folder of the data' },
} as const

const program = (file: string, ...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(ROOT, file), ...words], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe('the options of a program', () => {
  it('are what is given, and what holds without it', () => {
    expect(parseOptions(OPTIONS, ['--players', '1e3', '--kinds=identity,plain', '--no-baselines'])).toEqual({
      ...{ players: '1e3', share: '0.5', kinds: 'identity,plain', baselines: false },
    })
  })

  it.each([
    [['--players', '0'], '--players is a whole number of at least 1'],
    [['--players', '1.5'], '--players is a whole number of at least 1'],
    [['--players', ''], '--players is a whole number of at least 1'],
    [['--share', '0'], '--share is a number above 0'],
    [['--share', 'half'], '--share is a number above 0'],
    [['--kinds', 'plain,other'], '--kinds is one of plain, identity, or several with commas between them'],
    [['--player', '1'], "Unknown option '--player'"],
    [['more'], "Unexpected argument 'more'"],
    [['--dir'], "Option '--dir <value>' argument missing"],
  ])('are refused where they cannot be used: %j', (given, told) => {
    expect(() => parseOptions(OPTIONS, given)).toThrow(expect.objectContaining({ name: 'UsageError', message: told }))
  })

  it('are told, each with what holds without it', () => {
    expect(helpText('npm run it', 'It measures', OPTIONS).split('\n')).toEqual([
      'Usage: npm run it',
      '',
      'It measures',
      '',
      '  --players …     players in the database (default 1000)',
      '  --share …       of the capacity (default 0.5)',
      '  --kinds …       what they are (default plain)',
      '  --no-baselines  without the baselines',
      '  --dir …         folder of the data',
      '',
    ])
  })
})

describe('a program of the repository', () => {
  it('tells how it is used on standard output, and does nothing', () => {
    const { status, stdout, stderr } = program('scripts/package-glue.ts', '--help')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('Usage: npm run package:glue -- [folder]')
  })

  it('names an option that is not there in a sentence, with exit code 2', () => {
    const { status, stdout, stderr } = program('bench/run.ts', 'soak', '--minuts', '3')
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr.split('\n').slice(0, 3)).toEqual([
      ...["Unknown option '--minuts'", '', 'Usage: npm run bench -- soak [options]'],
    ])
  })

  it.each(['scripts/run-task.ts', 'test/proof.ts'])('%s takes no option for a name', (file) => {
    expect(program(file, '--all')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Usage: npm run/),
    })
    expect(program(file, '--help')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Usage: npm run/),
    })
  })
})
