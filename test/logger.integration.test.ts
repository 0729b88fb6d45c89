import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'

const LOGGER = path.resolve(import.meta.dirname, '../src/logger.ts')

/** A program that logs `count` lines of 1 KB and then says that it goes on. `end` is how it ends when it is told to. */
function program(
  count: number,
  end: 'process.exit()' | 'process.stdin.destroy()' | `exitWhenWritten(log, 3, ${number})`,
) {
  const code = `import { createLogger, exitWhenWritten, openOutput } from ${JSON.stringify(LOGGER)}
    const log = openOutput({ fd: 2, inBackground: true })
    const logger = createLogger({ level: 'info', destination: log })
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

describe('a program that is told to end at once', () => {
  it.each([0, 3000])('writes the %i lines that wait, whole and in their order', async (count) => {
    const child = program(count, 'exitWhenWritten(log, 3, 60000)')
    const exited = once(child, 'exit')
    await once(child.stdout, 'data')
    child.stdin.write('end')
    const lines = (await text(child.stderr)).split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map((line) => JSON.parse(line).n as number)).toEqual(Array.from({ length: count }, (_, n) => n))
    expect((await exited)[0]).toBe(3)
  })

  it('waits no longer for who does not read', async () => {
    const child = program(3000, 'exitWhenWritten(log, 3, 100)')
    const exited = once(child, 'exit')
    child.stdin.write('end')
    expect((await exited)[0]).toBe(3)
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
