import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'

const LOGGER = path.resolve(import.meta.dirname, '../src/logger.ts')

/** A program that logs `count` lines of 1 KB and then says that it goes on. `end` is how it ends when it is told to. */
function program(count: number, end: 'process.exit()' | 'process.stdin.destroy()') {
  const code = `import { createLogger } from ${JSON.stringify(LOGGER)}
    const logger = createLogger({ level: 'info', inBackground: true })
    for (let n = 0; n < ${count}; n++) logger.info({ n, filler: 'x'.repeat(1000) })
    console.log('went on')
    process.stdin.once('data', () => ${end})`
  return spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'pipe' })
}

describe('a log in the background', () => {
  it('does not stop the program when nobody reads it, and loses what is too much', async () => {
    const child = program(20_000, 'process.exit()')
    expect(String(await once(child.stdout, 'data'))).toBe('went on\n')
    const log = text(child.stderr)
    child.stdin.write('end')
    const lines = (await log).trimEnd().split('\n')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ n: 0 })
    expect(lines.length).toBeLessThan(20_000)
    expect(lines.length).toBeGreaterThan(7_000)
  })

  it('is whole when the program ends by itself', async () => {
    const child = program(1000, 'process.stdin.destroy()')
    child.stdin.write('end')
    const lines = (await text(child.stderr)).trimEnd().split('\n')
    // What waits at the end may overtake what another thread is writing just then.
    const numbers = lines.map((line) => JSON.parse(line).n as number).toSorted((a, b) => a - b)
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  })
})

describe.each([true, false])('lines that cannot be written (in the background: %s)', (inBackground) => {
  it('end the program neither while it works nor at its end', async () => {
    const code = `import { openOutput } from ${JSON.stringify(LOGGER)}
      const output = openOutput({ fd: 1, inBackground: ${inBackground} })
      output.once('error', () => console.error('has tried'))
      output.write('lost\\n')
      process.stdin.once('data', () => {
        output.write('lost as well\\n')
        console.error('goes on')
        process.exit()
      })`
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['pipe', full, 'pipe'] })
    const ended = once(child, 'close')
    child.stderr?.once('data', () => child.stdin?.write('end'))
    const [said, [exitCode]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), ended])
    expect({ said, exitCode }).toEqual({ said: 'has tried\ngoes on\n', exitCode: 0 })
  })
})
