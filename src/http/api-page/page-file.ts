import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, gzip, zstdCompress } from 'node:zlib'
import type { Request, Response } from 'express'
import { type Coding, codingFor } from '../compression.ts'

const COMPRESS: Readonly<Record<Coding, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: promisify(gzip),
  zstd: (bytes) => promisify(zstdCompress)(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 9 } }),
}

/** Below, the headers of an answer weigh more than what compression saves; pictures are compressed already. */
const MIN_COMPRESSED_BYTES = 1024
const COMPRESSIBLE = /^text\//

/** A file of the page, in memory: compressed once for each coding, when a browser first asks for it so. */
export class PageFile {
  readonly #bytes: Buffer
  readonly #type: string
  readonly #cacheControl: string
  readonly #tag: string
  readonly #compressed = new Map<Coding, Promise<Buffer>>()

  /** @param maxAgeSeconds how long browsers keep it without asking */
  constructor(content: string | Buffer, type: string, maxAgeSeconds: number) {
    this.#bytes = Buffer.from(content)
    this.#type = type
    this.#cacheControl = `public, max-age=${maxAgeSeconds}`
    this.#tag = createHash('sha256').update(this.#bytes).digest('base64url').slice(0, 22)
  }

  async send(request: Request, response: Response): Promise<void> {
    const coding = this.#isCompressible() ? codingFor(request) : undefined
    // A tag stands for the bytes as they are sent (RFC 9110, section 8.8.3), so each coding has its own.
    const tag = `"${this.#tag}${coding === undefined ? '' : `-${coding}`}"`
    response.set({ 'Cache-Control': this.#cacheControl, ETag: tag })
    if (this.#isCompressible()) response.vary('Accept-Encoding')
    if (request.fresh) return void response.status(304).end()
    const bytes = coding === undefined ? this.#bytes : await this.#in(coding)
    if (coding !== undefined) response.set('Content-Encoding', coding)
    response.set({ 'Content-Type': this.#type, 'Content-Length': String(bytes.length) })
    response.end(request.method === 'HEAD' ? undefined : bytes)
  }

  #isCompressible(): boolean {
    return this.#bytes.length >= MIN_COMPRESSED_BYTES && COMPRESSIBLE.test(this.#type)
  }

  #in(coding: Coding): Promise<Buffer> {
    const present = this.#compressed.get(coding)
    if (present !== undefined) return present
    const made = COMPRESS[coding](this.#bytes)
    this.#compressed.set(coding, made)
    return made
  }
}
