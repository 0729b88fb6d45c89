import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CursorCodec, listFingerprint } from '../../src/http/cursor.ts'

const codec = new CursorCodec(randomBytes(32))
const position = { values: ['Zoë', null, 7], id: '0193', backward: true }

describe('a cursor', () => {
  it('gives its position back', () => {
    expect(codec.decode(codec.encode(position, 'list'), 'list')).toEqual(position)
  })

  it('belongs to its list', () => {
    expect(() => codec.decode(codec.encode(position, 'list'), 'other')).toThrow(/another filter/)
  })

  it('is refused when any character was changed', () => {
    const cursor = codec.encode(position, 'list')
    for (let i = 0; i < cursor.length; i++) {
      const changed = `${cursor.slice(0, i)}${cursor[i] === 'A' ? 'B' : 'A'}${cursor.slice(i + 1)}`
      expect(() => codec.decode(changed, 'list')).toThrow(/invalid|changed/)
    }
    for (const text of ['', 'x', '!', cursor.slice(0, -1), `${cursor}A`]) {
      expect(() => codec.decode(text, 'list')).toThrow()
    }
  })

  it('shows nothing of the row that it stands beside', () => {
    const secret = { values: ['DE', 'zoe@example.com'], id: '0193', backward: false }
    const bytes = Buffer.from(codec.encode(secret, 'list'), 'base64url')
    for (const encoding of ['utf8', 'latin1', 'base64', 'hex'] as const) {
      for (const value of ['DE"', 'zoe@', 'example', '0193']) {
        expect(bytes.toString(encoding)).not.toContain(
          Buffer.from(value).toString(encoding === 'utf8' ? 'utf8' : encoding),
        )
      }
    }
  })

  it('is the same for the same place, so that an answer can be compared with an earlier one', () => {
    expect(codec.encode(position, 'list')).toBe(codec.encode(position, 'list'))
    expect(codec.encode(position, 'list')).not.toBe(codec.encode(position, 'other'))
  })

  it('of another key is refused', () => {
    const other = new CursorCodec(randomBytes(32))
    expect(() => codec.decode(other.encode(position, 'list'), 'list')).toThrow()
  })

  it('has a fingerprint that differs for different lists', () => {
    expect(listFingerprint(['/v1/studios', []])).not.toBe(listFingerprint(['/v1/owners', []]))
  })
})
