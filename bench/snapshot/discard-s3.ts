/**
 * An S3 that throws bytes away, in its own process, so that a bench measures the snapshot and not a disk: it keeps small objects, sizes,
 * declared checksums and the last part of each upload (the footer is read back from it). Speaks as much of S3 as a snapshot needs.
 *
 * `node bench/snapshot/discard-s3.ts [port]` prints its port and runs until its standard input closes.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

interface Stored {
  readonly bytes: number
  readonly crc32: string | undefined
  /** The last bytes, or all of a small object. */
  readonly tail: Buffer
}

interface Upload {
  readonly key: string
  bytes: number
  /** Chunks of the two highest parts so far: the footer lies in them. */
  last: { readonly number: number; readonly chunks: readonly Buffer[] }[]
}

const objects = new Map<string, Stored>()
const uploads = new Map<string, Upload>()

async function body(request: IncomingMessage): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return chunks
}

function xml(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers })
  response.end(`<?xml version="1.0" encoding="UTF-8"?>${text}`)
}

function missing(response: ServerResponse, code: string, head: boolean): void {
  if (head) response.writeHead(404).end()
  else xml(response, 404, `<Error><Code>${code}</Code><Message>not there</Message></Error>`)
}

async function post(request: IncomingMessage, response: ServerResponse, key: string, query: URLSearchParams) {
  if (query.has('uploads')) {
    const id = randomUUID()
    uploads.set(id, { key, bytes: 0, last: [] })
    xml(response, 200, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
    return
  }
  await body(request)
  const upload = uploads.get(query.get('uploadId') ?? '')
  if (!upload) return missing(response, 'NoSuchUpload', false)
  const crc32 = request.headers['x-amz-checksum-crc32'] as string | undefined
  objects.set(key, { bytes: upload.bytes, crc32, tail: Buffer.concat(upload.last.flatMap((part) => part.chunks)) })
  uploads.delete(query.get('uploadId') ?? '')
  xml(response, 200, `<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>`)
}

async function put(request: IncomingMessage, response: ServerResponse, key: string, query: URLSearchParams) {
  const upload = uploads.get(query.get('uploadId') ?? '')
  if (upload) {
    const number = Number(query.get('partNumber'))
    const chunks = await body(request)
    upload.bytes += Number(request.headers['content-length'])
    upload.last = [...upload.last, { number, chunks }].sort((x, y) => x.number - y.number).slice(-2)
    response.writeHead(200, { etag: `"${number}"` }).end()
    return
  }
  const bytes = Buffer.concat(await body(request))
  if (request.headers['if-none-match'] === '*' && objects.has(key)) {
    return xml(response, 412, '<Error><Code>PreconditionFailed</Code></Error>')
  }
  objects.set(key, { bytes: bytes.length, crc32: undefined, tail: bytes })
  response.writeHead(200, { etag: '"1"' }).end()
}

async function get(request: IncomingMessage, response: ServerResponse, key: string, query: URLSearchParams) {
  const head = request.method === 'HEAD'
  if (query.has('uploads')) return xml(response, 200, '<ListMultipartUploadsResult></ListMultipartUploadsResult>')
  if (query.has('uploadId')) return missing(response, 'NoSuchUpload', head)
  if (query.get('list-type')) return xml(response, 200, '<ListBucketResult></ListBucketResult>')
  const object = objects.get(key)
  if (!object) return missing(response, 'NoSuchKey', head)
  const range = /^bytes=-(\d+)$/.exec(request.headers.range ?? '')
  const bytes = range ? object.tail.subarray(-Number(range[1])) : object.tail
  const checksum = object.crc32 ? { 'x-amz-checksum-crc32': object.crc32, 'x-amz-checksum-type': 'FULL_OBJECT' } : {}
  const length = head ? object.bytes : bytes.length
  response.writeHead(range ? 206 : 200, { etag: '"1"', 'content-length': length, ...checksum })
  response.end(head ? undefined : bytes)
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'))
  const handler = { POST: post, PUT: put, GET: get, HEAD: get }[request.method ?? '']
  if (!handler) {
    response.writeHead(204).end()
    return
  }
  handler(request, response, key, url.searchParams).catch(() => response.destroy())
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log((server.address() as { port: number }).port)
})
process.stdin.resume().on('end', () => process.exit(0))
