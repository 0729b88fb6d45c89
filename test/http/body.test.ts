import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Request, Response } from 'express'
import { describe, expect, it } from 'vitest'
import { limited, mediaType, parseJson, rawBody } from '../../src/http/body.ts'

describe('a streamed body', () => {
  it('passes whole up to its limit', async () => {
    expect(await text(limited(Readable.from([Buffer.from('abc'), Buffer.from('def')]), 6))).toBe('abcdef')
  })

  it('fails beyond its limit', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1024)
      })(),
    )
    await expect(text(limited(endless, 10_000))).rejects.toMatchObject({ code: 'payload-too-large' })
    endless.destroy()
  })

  it('that ends too early is an error, not a short body', async () => {
    const source = new PassThrough()
    const body = text(limited(source, 1000))
    source.write('half')
    source.destroy()
    await expect(body).rejects.toMatchObject({ code: 'malformed-input' })
  })

  it('whose connection breaks is the fault of its sender, not of the database', async () => {
    const source = new PassThrough()
    const body = text(limited(source, 1000))
    source.write('half')
    source.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
    await expect(body).rejects.toMatchObject({ code: 'malformed-input' })
  })

  it('that stands still is given up', async () => {
    const source = new PassThrough()
    const body = text(limited(source, 1000, 10))
    source.write('half')
    await expect(body).rejects.toMatchObject({ code: 'malformed-input', headers: { Connection: 'close' } })
  })

  it('may wait as long as its reader makes it wait', async () => {
    const source = new PassThrough()
    const body = limited(source, 10_000_000, 10)
    source.end(Buffer.alloc(1_000_000))
    while (!source.isPaused()) await new Promise(setImmediate)
    const ended = Promise.withResolvers<void>()
    setTimeout(ended.resolve, 50)
    await ended.promise
    expect((await text(body)).length).toBe(1_000_000)
  })
})

describe('a small body', () => {
  it('that does not arrive is given up', async () => {
    const request = Object.assign(new PassThrough(), { headers: { 'content-length': '10' } }) as unknown as Request
    await expect(rawBody(request, {} as Response, 10)).rejects.toMatchObject({
      code: 'malformed-input',
      headers: { Connection: 'close' },
    })
  })
})

describe('a media type', () => {
  it('may have parameters, but only UTF-8', () => {
    const allowed = ['application/json']
    expect(mediaType('Application/JSON; charset="UTF-8"', allowed)).toBe('application/json')
    for (const header of [undefined, '', 'text/json', 'application/json; charset=utf-16']) {
      expect(() => mediaType(header, allowed), header).toThrow(/Content-Type/)
    }
  })
})

describe('JSON', () => {
  it('that is broken is told without its text', () => {
    expect(() => parseJson(Buffer.from('{"email":"zoe@mail.example"'))).toThrow(/^The body is not one JSON value/)
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/UTF-8/)
  })
})
