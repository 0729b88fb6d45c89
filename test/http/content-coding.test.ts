import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createGzip, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decodedBody } from '../../src/http/content-coding.ts'
import { prefersAsync } from '../../src/http/prefer.ts'

const MAX = 10_000_000
const from = (...chunks: Buffer[]) => Readable.from(chunks, { objectMode: false })
const cut = (bytes: Buffer, chunkBytes: number) =>
  from(
    ...Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) =>
      bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
    ),
  )

describe('a streamed body in gzip', () => {
  const plain = Array.from({ length: 3000 }, (_, i) => `{"line":${i}}\n`).join('')

  it('comes out as it went in, in one member or several, wherever it is cut', async () => {
    const half = plain.length / 2
    const members = Buffer.concat([gzipSync(plain.slice(0, half)), gzipSync(plain.slice(half))])
    for (const bytes of [gzipSync(plain), members]) {
      for (const chunkBytes of [1, 100, 1_000_000]) {
        expect(await text(decodedBody(cut(bytes, chunkBytes), 'GZip', MAX))).toBe(plain)
      }
    }
    expect(await text(decodedBody(from(Buffer.from(plain)), 'identity', MAX))).toBe(plain)
    expect(await text(decodedBody(from(Buffer.from(plain)), undefined, MAX))).toBe(plain)
  })

  it('is handed on while it is still being sent', async () => {
    const zip = createGzip()
    const body = decodedBody(zip, 'gzip', MAX)
    zip.write('first\n')
    zip.flush()
    const [chunk] = (await body.take(1).toArray()) as [Buffer]
    expect(chunk.toString()).toBe('first\n')
    zip.destroy()
  })

  it('that is none, cut off or damaged is an error of its sender', async () => {
    const whole = gzipSync(plain)
    const damaged = Buffer.from(whole)
    damaged.writeUInt32LE(0, damaged.length - 8)
    for (const bytes of [
      Buffer.from(plain),
      whole.subarray(0, -3),
      damaged,
      Buffer.concat([whole, Buffer.from('more')]),
    ]) {
      await expect(text(decodedBody(from(bytes), 'gzip', MAX))).rejects.toMatchObject({ code: 'malformed-input' })
    }
    const source = new PassThrough()
    const body = text(decodedBody(source, 'gzip', MAX))
    source.write(whole.subarray(0, 50))
    source.destroy()
    await expect(body).rejects.toMatchObject({ code: 'malformed-input' })
  })

  it('is bounded by what comes out of it, and a bomb long before', async () => {
    await expect(text(decodedBody(from(gzipSync(plain)), 'gzip', plain.length - 1))).rejects.toMatchObject({
      code: 'payload-too-large',
    })
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024))
    let out = 0
    const read = async () => {
      for await (const chunk of decodedBody(from(bomb), 'gzip', 1024 ** 3)) out += (chunk as Buffer).length
    }
    await expect(read()).rejects.toMatchObject({ code: 'payload-too-large' })
    expect(out).toBeLessThan(24 * 1024 * 1024)
  })

  it('in any other coding is refused before it is read', () => {
    for (const coding of ['br', 'deflate', 'gzip, gzip']) {
      expect(() => decodedBody(from(), coding, MAX)).toThrow(
        expect.objectContaining({ code: 'unsupported-media-type' }),
      )
    }
  })
})

describe('a preference', () => {
  it('for a job is found among others', () => {
    expect(prefersAsync('respond-async')).toBe(true)
    expect(prefersAsync('return=minimal, Respond-Async; wait=10')).toBe(true)
    expect(prefersAsync('wait=10')).toBe(false)
    expect(prefersAsync('note="a, respond-async"')).toBe(false)
    expect(prefersAsync('note="a\\", b", respond-async')).toBe(true)
    expect(prefersAsync(undefined)).toBe(false)
  })
})
