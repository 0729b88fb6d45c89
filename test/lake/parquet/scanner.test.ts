import { describe, expect, it } from 'vitest'
import { CopyFrameScanner } from '../../../src/lake/parquet/frame-scanner.ts'
import { type Batch, CopyScanner, FIELD_STRIDE } from '../../../src/lake/parquet/scanner.ts'
import { copyBytes, type Field, HEADER, int16, int32, TRAILER, text, tuple } from './copy-bytes.ts'

const ROWS: Field[][] = [
  [text('first'), null, Buffer.alloc(0)],
  [null, null, null],
  [text('é☃😀'), int32(-1), text('x'.repeat(300))],
  [Buffer.alloc(0), text('PGCOPY'), Buffer.from([0xff, 0xff])],
]

/** Copies every field of a batch, since the batch is reused. */
function collect(rows: (string | null)[][], fields: number) {
  return ({ buf, pos, len, rows: count }: Batch) => {
    for (let r = 0; r < count; r++) {
      rows.push(
        Array.from({ length: fields }, (_, f) => {
          const i = f * FIELD_STRIDE + r
          return len[i] === -1 ? null : buf.toString('hex', pos[i], (pos[i] as number) + (len[i] as number))
        }),
      )
    }
  }
}

const hex = (rows: readonly (readonly Field[])[]) => rows.map((row) => row.map((f) => f?.toString('hex') ?? null))

function scan(chunks: readonly Buffer[], fields = 3): (string | null)[][] {
  const rows: (string | null)[][] = []
  const scanner = new CopyScanner(fields, collect(rows, fields))
  for (const chunk of chunks) scanner.push(chunk)
  expect(scanner.end()).toBe(rows.length)
  return rows
}

const frame = (type: string, body: Buffer) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
const COPY_OUT = frame('H', Buffer.from([1, 0, 3, 0, 1, 0, 1, 0, 1]))

/** What a server sends for a COPY: one row a message, the header in front of the first. */
function frames(rows: readonly (readonly Field[])[]): Buffer {
  const [first, ...rest] = [...rows.map(tuple), TRAILER]
  return Buffer.concat([
    COPY_OUT,
    frame('d', Buffer.concat([HEADER, first as Buffer])),
    ...rest.map((row) => frame('d', row)),
    frame('c', Buffer.alloc(0)),
    frame('C', text(`COPY ${rows.length}\0`)),
    frame('Z', text('I')),
  ])
}

/** Feeds the bytes in steps through one buffer, as a socket that reads into it does. */
function scanFrames(bytes: Buffer, step: number, fields = 3, sizeBytes = 1 << 16) {
  const rows: (string | null)[][] = []
  const scanner = new CopyFrameScanner(fields, collect(rows, fields))
  const buffer = Buffer.alloc(sizeBytes)
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  let kept = 0
  for (let at = 0; at < bytes.length; at += step) {
    const read = bytes.copy(buffer, kept, at, at + step)
    const end = kept + read
    const used = scanner.scan(buffer, view, 0, end)
    buffer.copyWithin(0, used, end)
    kept = end - used
  }
  return { rows, scanner, kept }
}

describe('the scanner of binary COPY', () => {
  const stream = copyBytes(ROWS)

  it('finds every field, NULL, empty or not', () => {
    expect(scan([stream])).toEqual(hex(ROWS))
  })

  it('gives the same rows wherever the stream is cut in two', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      expect(scan([stream.subarray(0, cut), stream.subarray(cut)]), `cut at ${cut}`).toEqual(hex(ROWS))
    }
  })

  it('gives the same rows from chunks of one byte', () => {
    expect(scan(Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(hex(ROWS))
  })

  it('does not need a chunk any more once the next one is pushed', () => {
    const rows: (string | null)[][] = []
    const scanner = new CopyScanner(3, collect(rows, 3))
    for (let at = 0; at < stream.length; at += 7) {
      const chunk = Buffer.from(stream.subarray(at, at + 7))
      scanner.push(chunk)
      chunk.fill(0xaa)
    }
    scanner.end()
    expect(rows).toEqual(hex(ROWS))
  })

  it('hands over batches of at most 1,024 rows', () => {
    const sizes: number[] = []
    const scanner = new CopyScanner(1, ({ rows }) => void sizes.push(rows))
    scanner.push(copyBytes(Array.from({ length: 2_500 }, () => [int32(1)])))
    expect(scanner.end()).toBe(2_500)
    expect(sizes).toEqual([1024, 1024, 452])
  })

  it('stops behind a batch after which its consumer is busy, and goes on later', () => {
    const values = Array.from({ length: 5_000 }, (_, n) => n)
    const bytes = copyBytes(values.map((n) => [int32(n)]))
    const consumer = { busy: false }
    const seen: number[] = []
    const scanner = new CopyScanner(1, ({ pos, rows, view }) => {
      expect(consumer.busy).toBe(false)
      for (let row = 0; row < rows; row++) seen.push(view.getInt32(pos[row] as number))
      consumer.busy = true
    })
    // Longer and shorter than a batch, and cut within rows.
    for (let at = 0; at < bytes.length; at += 27_001) {
      const chunk = Buffer.from(bytes.subarray(at, at + 27_001))
      scanner.push(chunk, consumer)
      chunk.fill(0xaa)
      consumer.busy = false
      while (scanner.stopped) {
        scanner.resume(consumer)
        consumer.busy = false
      }
    }
    expect(scanner.end()).toBe(values.length)
    expect(seen).toEqual(values)
  })

  it('passes over a header extension, also when it is cut', () => {
    const extended = Buffer.concat([HEADER.subarray(0, 15), int32(5), text('extra'), tuple([int32(7)]), TRAILER])
    for (let cut = 1; cut < extended.length; cut++) {
      expect(scan([extended.subarray(0, cut), extended.subarray(cut)], 1)).toEqual([['00000007']])
    }
  })

  it('joins a value of 64 MiB once, not at every chunk', () => {
    const value = Buffer.alloc(64 << 20, 'v')
    const chunks: Buffer[] = []
    const long = copyBytes([[value], [text('after')]])
    for (let at = 0; at < long.length; at += 65_536) chunks.push(long.subarray(at, at + 65_536))
    const lengths: number[] = []
    const scanner = new CopyScanner(1, ({ len, rows }) => void lengths.push(...len.subarray(0, rows)))
    for (const chunk of chunks) scanner.push(chunk)
    expect(scanner.end()).toBe(2)
    expect(lengths).toEqual([64 << 20, 5])
  })

  it('takes a stream without rows', () => {
    expect(scan([Buffer.concat([HEADER, TRAILER])])).toEqual([])
  })

  const faults: [string, Buffer, RegExp][] = [
    ['a missing trailer', stream.subarray(0, -2), /trailer|cut off/],
    ['an end within a row', stream.subarray(0, -9), /trailer|cut off/],
    ['an end within the header', HEADER.subarray(0, 9), /trailer|cut off/],
    ['nothing at all', Buffer.alloc(0), /trailer|cut off/],
    ['a byte after the trailer', Buffer.concat([stream, Buffer.from([0])]), /after its trailer/],
    ['another field count', copyBytes([[null, null]]), /2 fields/],
    ['another signature', Buffer.concat([text('PGCOPX\n'), stream.subarray(7)]), /signature/],
    ['unknown flags', Buffer.concat([HEADER.subarray(0, 11), int32(65_536), int32(0), TRAILER]), /flags/],
    ['a negative length', Buffer.concat([HEADER, int16(3), int32(-2)]), /length -2/],
  ]
  it.each(faults)('refuses %s, whole or byte by byte', (_, bytes, message) => {
    expect(() => scan([bytes])).toThrow(message)
    expect(() => scan(Array.from(bytes, (byte) => Buffer.from([byte])))).toThrow(message)
  })
})

describe('the scanner of protocol messages', () => {
  const stream = frames(ROWS)

  it('gives the same rows however the socket cuts the stream', () => {
    for (const step of [1, 2, 3, 5, 7, 64, 1000, 65_000]) {
      const { rows, scanner, kept } = scanFrames(stream, step)
      expect(rows, `steps of ${step}`).toEqual(hex(ROWS))
      expect(scanner.ready).toBe(true)
      expect(scanner.serverRows).toBe(ROWS.length)
      expect(scanner.rows).toBe(ROWS.length)
      expect(kept).toBe(0)
    }
  })

  it('passes over notices, notifications and parameter changes between rows', () => {
    const notice = frame('N', text('SNOTICE\0\0'))
    const { rows } = scanFrames(
      Buffer.concat([notice, stream.subarray(0, COPY_OUT.length), notice, stream.subarray(COPY_OUT.length)]),
      9,
    )
    expect(rows).toEqual(hex(ROWS))
  })

  it('leaves what follows the answer to whoever reads the connection', () => {
    const behind = frame('S', text('TimeZone\0UTC\0')).subarray(0, 9)
    const { rows, scanner, kept } = scanFrames(Buffer.concat([stream, behind]), 1 << 15)
    expect({ rows, kept, ready: scanner.ready }).toEqual({ rows: hex(ROWS), kept: behind.length, ready: true })
  })

  it('finds the error with which a server ends the session, behind rows and before a message that is cut', () => {
    const error = frame('E', text('SFATAL\0C57P01\0Mterminating connection\0\0'))
    const row = frame('d', tuple(ROWS[0] as Field[]))
    const scanner = new CopyFrameScanner(3, () => expect.unreachable('no row is wanted any more'))
    const words = Buffer.concat([row, row, error, row.subarray(0, 8)])
    scanner.lastWords(words, 0, words.length)
    expect(scanner.error).toMatchObject({ C: '57P01' })
    const silent = new CopyFrameScanner(3, () => undefined)
    silent.lastWords(words, 0, 2 * row.length + error.length - 1)
    expect(silent.error).toBeUndefined()
  })

  it('tells how large a message is that does not fit into the buffer', () => {
    const { scanner } = scanFrames(frame('d', Buffer.alloc(90_000)).subarray(0, 60_000), 60_000)
    expect(scanner.needed).toBe(90_005)
  })

  it('keeps the fields of an error in mid-COPY and is ready afterwards', () => {
    const error = frame('E', text('SERROR\0C57014\0Mcanceling statement\0\0'))
    const cut = Buffer.concat([
      COPY_OUT,
      frame('d', Buffer.concat([HEADER, tuple(ROWS[0] as Field[])])),
      error,
      frame('Z', text('I')),
    ])
    const { scanner } = scanFrames(cut, 11)
    expect(scanner.error).toMatchObject({ C: '57014', M: 'canceling statement' })
    expect(scanner.ready).toBe(true)
  })

  const faults: [string, Buffer, RegExp][] = [
    ['the text format', frame('H', Buffer.from([0, 0, 0])), /text format/],
    ['an end without trailer', Buffer.concat([COPY_OUT, frame('d', HEADER), frame('c', Buffer.alloc(0))]), /trailer/],
    ['an answer that is no COPY', frame('Z', text('I')), /without data/],
    ['rows of a query', frame('T', int16(1)), /message type 84/],
    ['a row cut in two messages', Buffer.concat([frame('d', Buffer.concat([HEADER, int16(3)]))]), /two messages/],
  ]
  it.each(faults)('refuses %s', (_, bytes, message) => {
    expect(() => scanFrames(bytes, 1 << 15)).toThrow(message)
  })
})
