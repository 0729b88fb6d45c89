import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, removeFolder, run } from '../support/service.ts'

/**
 * The AWS command line in its place: answers as the real one does ("Output structure" of its reference), says what it was called with, and
 * refuses what the real one would not know.
 */
const AWS = `#!/usr/bin/env node
const { appendFileSync, existsSync, writeFileSync } = require('node:fs')
const words = process.argv.slice(2)
appendFileSync(process.env.CALLS, JSON.stringify(words) + '\\n')
const option = (name) => words[words.indexOf(name) + 1]
const arn = 'arn:aws:ecs:eu-central-1:000000000000:task/rocketgames-accounts-dev/0123abcd'
const answers = {
  'cloudformation describe-stacks': () => ({ Stacks: [{ Outputs: [{ OutputKey: 'TaskNetwork', OutputValue: 'awsvpcConfiguration={subnets=[a,b],securityGroups=[c]}' }] }] }),
  'ecs run-task': () => process.env.ANSWER === 'full' ? { tasks: [], failures: [{ reason: 'Capacity is unavailable at this time' }] } : { tasks: [{ taskArn: arn }], failures: [] },
  'ecs describe-tasks': () => {
    const looked = process.env.CALLS + '.looked'
    const first = !existsSync(looked)
    writeFileSync(looked, '')
    if (option('--tasks') !== arn) process.exit(255)
    if (process.env.ANSWER === 'lost' || (process.env.ANSWER === 'late' && first)) return { tasks: [], failures: [{ arn, reason: 'MISSING' }] }
    return { tasks: [{ lastStatus: first ? 'PENDING' : 'STOPPED', stoppedReason: 'Essential container in task exited', containers: [
      { name: 'traces', exitCode: 143 },
      { name: 'accounts', ...(process.env.ANSWER === 'unstarted' ? { reason: 'CannotPullContainerError' } : { exitCode: Number(process.env.ANSWER) || 0 }) },
    ] }] }
  },
  'logs get-log-events': () => ({ events: [{ message: 'applied 20261124100000_count_requests' }, { message: 'log of ' + option('--log-stream-name') }] }),
}
const answer = answers[words.slice(0, 2).join(' ')]
if (answer === undefined) { console.error('aws: error: argument operation: Invalid choice'); process.exit(252) }
console.log(JSON.stringify(answer()))
`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-run-task-'))
  writeFileSync(path.join(folder, 'aws'), AWS)
  chmodSync(path.join(folder, 'aws'), 0o755)
})
afterAll(() => removeFolder(folder))

let count = 0
async function task(words: readonly string[], ANSWER?: string, PATH = `${folder}:${process.env.PATH}`) {
  const CALLS = path.join(folder, `calls-${count++}`)
  writeFileSync(CALLS, '')
  const env = { PATH, CALLS, TASK_LOOK_MS: '1', ...(ANSWER === undefined ? {} : { ANSWER }) }
  const done = await run(process.execPath, [path.join(ROOT, 'scripts/run-task.ts'), ...words], env)
  const calls = readFileSync(CALLS, 'utf8').trim().split('\n').filter(Boolean)
  return { ...done, calls: calls.map((line) => JSON.parse(line) as string[]) }
}

describe('npm run task', () => {
  it('starts the task in its network, waits for its end and shows its log', async () => {
    const { calls, code, stderr, stdout } = await task(['dev', 'migrate'])
    expect(code, stderr).toBe(0)
    expect(stdout).toBe('applied 20261124100000_count_requests\nlog of migrate/accounts/0123abcd\n')
    const started = calls.find((words) => words[1] === 'run-task') ?? []
    const option = (name: string) => started[started.indexOf(name) + 1]
    expect(option('--cluster')).toBe('rocketgames-accounts-dev')
    expect(option('--task-definition')).toBe('rocketgames-accounts-dev-migrate')
    expect(option('--network-configuration')).toBe('awsvpcConfiguration={subnets=[a,b],securityGroups=[c]}')
    expect(option('--overrides')).toBe('{}')
    expect(calls.filter((words) => words[1] === 'describe-tasks')).toHaveLength(2)
  })

  it('gives the task other words in place of its own, options among them', async () => {
    const { calls } = await task(['dev', 'keys', 'keys', 'create', '--name', 'the first', '--days', '1'])
    const started = calls.find((words) => words[1] === 'run-task') ?? []
    expect(JSON.parse(started[started.indexOf('--overrides') + 1] ?? '')).toEqual({
      containerOverrides: [{ name: 'accounts', command: ['keys', 'create', '--name', 'the first', '--days', '1'] }],
    })
  })

  it('ends as the program did, and says why it did not run', async () => {
    expect((await task(['dev', 'migrate'], '1')).code).toBe(1)
    const unstarted = await task(['dev', 'migrate'], 'unstarted')
    expect([unstarted.code, unstarted.stderr]).toEqual([2, expect.stringContaining('CannotPullContainerError')])
    const full = await task(['dev', 'migrate'], 'full')
    expect([full.code, full.stderr]).toEqual([2, expect.stringContaining('Capacity is unavailable')])
  })

  it('waits for a task that cannot be seen yet, and not for ever', async () => {
    expect(await task(['dev', 'migrate'], 'late')).toMatchObject({ code: 0 })
    const lost = await task(['dev', 'migrate'], 'lost')
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining('ECS does not know the task')])
  })

  it('asks for a stage and a task, and for the AWS command line', async () => {
    expect(await task(['dev'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage'), calls: [] })
    expect((await task(['dev', 'migrate'], undefined, '/nowhere')).stderr).toContain('The AWS command line is not here')
  })
})
