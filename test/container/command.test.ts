import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../support/service.ts'

const COMMAND = path.join(ROOT, 'scripts/container/command.ts')

describe('the container script', () => {
  it('that is interrupted ends what runs, begins nothing new, and takes away what it made', async () => {
    const code = `import { attempt, cleanUpOnSignal, run } from ${JSON.stringify(COMMAND)}
      cleanUpOnSignal()
      try {
        const running = run('sleep', ['600'])
        console.log('begun')
        await running
      } catch {
        await run('echo', ['more']).catch((error) => console.log(error.message))
        console.log((await attempt('echo', ['taken away'], { cleansUp: true })).stdout)
      }`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said = text(child.stdout)
    const ended = once(child, 'close')
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    expect((await said).trim().split('\n')).toEqual(['begun', 'interrupted', 'taken away'])
    expect(await ended).toEqual([130, null])
  })
})
