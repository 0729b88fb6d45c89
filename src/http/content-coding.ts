import { type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { AppError } from '../errors.ts'
import { limited } from './body.ts'

/** As much may come out of any body before its ratio is looked at: short ones can be very regular. */
const RATIO_FREE_BYTES = 16 * 1024 * 1024
/** More bytes than this out of each one that went in are no data: lines of real records come to 5 to 30. */
const MAX_RATIO = 200

/**
 * A streamed body as its sender meant it. Both what is sent and what comes out may have `maxBytes`; a body that is compressed
 * beyond reason is refused long before. The stream fails with `payload-too-large`, or `malformed-input` when it is no gzip, is
 * cut off or damaged.
 *
 * @param coding the `Content-Encoding`
 * @throws AppError `unsupported-media-type` for any coding but gzip
 */
export function decodedBody(source: Readable, coding: string | undefined, maxBytes: number): Readable {
  switch ((coding ?? '').trim().toLowerCase()) {
    case '':
    case 'identity':
      return limited(source, maxBytes)
    case 'gzip':
    case 'x-gzip':
      return unzipped(limited(source, maxBytes), maxBytes)
  }
  throw new AppError('unsupported-media-type', 'Content-Encoding must be gzip or identity here', {
    headers: { 'Accept-Encoding': 'gzip, identity' },
  })
}

function unzipped(source: Readable, maxBytes: number): Readable {
  const gunzip = createGunzip({ chunkSize: 64 * 1024 })
  let seen = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length
      if (seen > maxBytes) done(tooLarge(`more than ${maxBytes} bytes`, maxBytes))
      else if (seen > RATIO_FREE_BYTES && seen > MAX_RATIO * gunzip.bytesWritten) {
        done(tooLarge(`more than ${MAX_RATIO} bytes for each one that was sent`, maxBytes))
      } else done(null, chunk)
    },
  })
  source.once('error', (error) => counter.destroy(error))
  gunzip.once('error', (cause) => {
    counter.destroy(new AppError('malformed-input', 'The body is not whole, undamaged gzip', { cause }))
  })
  counter.once('close', () => {
    gunzip.destroy()
    source.destroy()
  })
  return source.pipe(gunzip).pipe(counter)
}

function tooLarge(what: string, maxBytes: number): AppError {
  return new AppError('payload-too-large', `Decompressed, the body has ${what}`, { extra: { maxBytes } })
}
