import { readdirSync } from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { zstdDecompressSync } from 'node:zlib'
import express from 'express'
import supertest from 'supertest'
import { describe, expect, it } from 'vitest'
import { apiPage } from '../../src/http/api-page/api-page.ts'
import { NOT_SERVED } from '../../src/http/api-page/guide-page.ts'
import { ROOT } from '../support/service.ts'

const page = supertest(express().use(apiPage()))

/** The body as it was sent. */
function rawBytes(response: Readable, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => done(null, Buffer.concat(chunks)))
}

/** Everything that a page refers to. */
function referencesOf(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? '')
}

const guides = readdirSync(path.join(ROOT, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => name.slice(0, -3))
  .filter((name) => !NOT_SERVED.includes(name))
  .map((name) => `/docs/guides/${name}`)

describe('the API page', () => {
  it('consists of files from here alone, and every one of them is there', async () => {
    const { text } = await page
      .get('/docs')
      .expect(200)
      .expect('Content-Type', /^text\/html/)
    const references = referencesOf(text)
    expect(references).toEqual(expect.arrayContaining(['/docs/swagger-ui-bundle.js', '/docs/start.js', ...guides]))
    for (const reference of references.filter((each) => each !== '/v1/openapi.json')) {
      expect(reference).toMatch(/^\/docs\//)
      await page.get(reference).expect(200)
    }
    expect(text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|style="/)
  })

  it('lets scripts, styles and requests come from and go to this service only', async () => {
    for (const address of ['/docs', '/docs/guides/errors', '/docs/start.js']) {
      const policy = (await page.get(address)).headers['content-security-policy'] ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self'")
      expect(policy).toContain("connect-src 'self'")
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
    }
    const { text } = await page.get('/docs/start.js').expect('Content-Type', /javascript/)
    expect(text).not.toMatch(/https?:\/\//)
    expect(text).toContain("url: '/v1/openapi.json'")
  })

  it('is kept by browsers and asked about by its tag', async () => {
    const { headers } = await page.get('/docs/swagger-ui.css').expect(200)
    expect(headers['cache-control']).toMatch(/max-age=3600/)
    await page
      .get('/docs/swagger-ui.css')
      .set('If-None-Match', headers.etag ?? '')
      .expect(304)
    await page.get('/docs/').expect(308).expect('Location', '/docs')
  })

  it('arrives compressed, once for each coding, where the browser takes that', async () => {
    const bytesIn = async (coding: string) => {
      const { headers, body } = await page
        .get('/docs/swagger-ui-bundle.js')
        .set('Accept-Encoding', coding)
        .buffer()
        .parse((response, done) => rawBytes(response as unknown as Readable, done))
        .expect('Vary', /Accept-Encoding/)
      return {
        coding: headers['content-encoding'],
        tag: headers.etag,
        sent: Number(headers['content-length']),
        bytes: body as Buffer,
      }
    }
    const plain = await bytesIn('identity')
    const zipped = await bytesIn('gzip, deflate, br')
    const zstd = await bytesIn('gzip, deflate, br, zstd')
    expect([plain, zipped, zstd].map((each) => each.coding)).toEqual([undefined, 'gzip', 'zstd'])
    // supertest has unpacked it.
    expect(zipped.bytes.equals(plain.bytes)).toBe(true)
    expect(zstdDecompressSync(zstd.bytes).equals(plain.bytes)).toBe(true)
    expect(Math.max(zipped.sent, zstd.sent)).toBeLessThan(plain.sent / 2)
    expect(new Set([plain, zipped, zstd].map((each) => each.tag)).size).toBe(3)
    const icon = await page.get('/docs/favicon-32x32.png').set('Accept-Encoding', 'gzip').expect(200)
    expect(icon.headers).not.toHaveProperty('content-encoding')
    const { headers, text } = await page.head('/docs').set('Accept-Encoding', 'gzip').expect(200)
    expect([headers['content-encoding'], text ?? '']).toEqual(['gzip', ''])
  })

  it('serves nothing else of the folders that it comes from', async () => {
    for (const name of [
      'package.json',
      'index.html',
      'swagger-ui.js.map',
      '..%2fapi-page.ts',
      'constructor',
      'guides/none',
      'guides/roles',
    ]) {
      await page.get(`/docs/${name}`).expect(404)
    }
  })

  it('shows guides whose links to each other lead to pages', async () => {
    for (const guide of guides) {
      const { text } = await page.get(guide).expect(200)
      expect(text).toMatch(/<h1 id="[^"]+">.+<\/h1>/)
      for (const link of referencesOf(text).filter((each) => !each.startsWith('https://www.rfc-editor.org/'))) {
        const [address = '', heading] = link.split('#')
        const { text: there } = address === '' ? { text } : await page.get(address).expect(200)
        if (heading !== undefined) expect(there, `${guide}: ${link}`).toContain(` id="${heading}"`)
      }
    }
  })
})
