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

  it('of another key is refused', () => {
    const other = new CursorCodec(randomBytes(32))
    expect(() => codec.decode(other.encode(position, 'list'), 'list')).toThrow()
  })

  it('has a fingerprint that differs for different lists', () => {
    expect(listFingerprint(['/v1/studios', []])).not.toBe(listFingerprint(['/v1/owners', []]))
  })
})
