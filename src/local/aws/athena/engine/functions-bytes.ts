import { createHash, createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { badArgument, type Implementation, type Value } from './values.ts'

const bytes = (v: Value | undefined) => v as Uint8Array
const hash =
  (name: string): Implementation =>
  ([v]) =>
    new Uint8Array(createHash(name).update(bytes(v)).digest())
const hmac =
  (name: string): Implementation =>
  ([v, key]) =>
    new Uint8Array(createHmac(name, bytes(key)).update(bytes(v)).digest())

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function toBase32(data: Uint8Array): string {
  let bits = ''
  for (const b of data) bits += b.toString(2).padStart(8, '0')
  let out = ''
  for (let i = 0; i < bits.length; i += 5) out += BASE32[Number.parseInt(bits.slice(i, i + 5).padEnd(5, '0'), 2)]!
  return out.padEnd(Math.ceil(out.length / 8) * 8, '=')
}

function fromBase32(text: string): Uint8Array {
  const body = text.replace(/=+$/, '')
  if (!/^[A-Z2-7]*$/.test(body)) throw badArgument(`Invalid base 32 data: ${text.slice(0, 40)}`)
  let bits = ''
  for (const c of body) bits += BASE32.indexOf(c).toString(2).padStart(5, '0')
  return Uint8Array.from({ length: Math.floor(bits.length / 8) }, (_, i) =>
    Number.parseInt(bits.slice(i * 8, i * 8 + 8), 2),
  )
}

function fromBase64(text: string, url: boolean): Uint8Array {
  const alphabet = url ? /^[A-Za-z0-9_-]*={0,2}$/ : /^[A-Za-z0-9+/]*={0,2}$/
  const body = text.replace(/=+$/, '')
  if (!alphabet.test(text) || body.length % 4 === 1 || (text !== body && text.length % 4 !== 0))
    throw badArgument(`Invalid base64: ${text.slice(0, 40)}`)
  return new Uint8Array(Buffer.from(body, url ? 'base64url' : 'base64'))
}

function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw badArgument(`Invalid hex: ${text.slice(0, 40)}`)
  return new Uint8Array(Buffer.from(text, 'hex'))
}

function view(v: Value | undefined, length: number): DataView {
  const b = bytes(v)
  if (b.length !== length) throw badArgument(`expected ${length}-byte input, but got instead: ${b.length}`)
  return new DataView(b.buffer, b.byteOffset, length)
}

function written(length: number, write: (d: DataView) => void): Uint8Array {
  const out = new Uint8Array(length)
  write(new DataView(out.buffer))
  return out
}

export const BYTES: Readonly<Record<string, Implementation>> = {
  from_utf8: ([v]) => Buffer.from(bytes(v)).toString('utf8'),
  from_hex: ([v]) => fromHex(typeof v === 'string' ? v : Buffer.from(bytes(v)).toString('latin1')),
  from_base64: ([v]) => fromBase64(v as string, false),
  to_base64url: ([v]) => {
    const text = Buffer.from(bytes(v)).toString('base64')
    return text.replaceAll('+', '-').replaceAll('/', '_')
  },
  from_base64url: ([v]) => fromBase64(v as string, true),
  to_base32: ([v]) => toBase32(bytes(v)),
  from_base32: ([v]) => fromBase32(v as string),
  md5: hash('md5'),
  sha1: hash('sha1'),
  sha256: hash('sha256'),
  sha512: hash('sha512'),
  hmac_md5: hmac('md5'),
  hmac_sha1: hmac('sha1'),
  hmac_sha256: hmac('sha256'),
  hmac_sha512: hmac('sha512'),
  crc32: ([v]) => BigInt(crc32(bytes(v))),
  to_big_endian_32: ([v]) => written(4, (d) => d.setInt32(0, v as number)),
  to_big_endian_64: ([v]) => written(8, (d) => d.setBigInt64(0, v as bigint)),
  from_big_endian_32: ([v]) => view(v, 4).getInt32(0),
  from_big_endian_64: ([v]) => view(v, 8).getBigInt64(0),
  to_ieee754_32: ([v]) => written(4, (d) => d.setFloat32(0, v as number)),
  to_ieee754_64: ([v]) => written(8, (d) => d.setFloat64(0, v as number)),
  from_ieee754_32: ([v]) => view(v, 4).getFloat32(0),
  from_ieee754_64: ([v]) => view(v, 8).getFloat64(0),
  reverse_binary: ([v]) => Uint8Array.from(bytes(v)).reverse(),
  substr_binary: ([v, start, length]) => {
    const b = bytes(v)
    const s = Number(start)
    const from = s > 0 ? s - 1 : b.length + s
    if (s === 0 || from < 0 || from >= b.length) return new Uint8Array()
    return b.slice(from, length === undefined ? undefined : from + Math.max(0, Number(length)))
  },
}
