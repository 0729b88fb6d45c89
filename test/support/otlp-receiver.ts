import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'

/** A collector of traces on the loopback: takes OTLP/HTTP with protobuf as opentelemetry-proto's trace/v1/trace.proto lays it out. */

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty: the trace begins here. */
  readonly parentSpanId: string
  readonly name: string
  /** 1 internal, 2 server, 3 client, 5 consumer. */
  readonly kind: number
  readonly startNs: bigint
  readonly endNs: bigint
  readonly attributes: Readonly<Record<string, unknown>>
  readonly status: { readonly code: number; readonly message: string }
  readonly resource: Readonly<Record<string, unknown>>
}

export interface OtlpReceiver {
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  /** Of each delivery. */
  readonly headers: readonly IncomingHttpHeaders[]
  /** The bytes of all deliveries, to look for what must not be in them. */
  readonly raw: () => Buffer
  /** Resolves with the first span that fits, now or later; rejects with the names of those that came. */
  span(fits: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan>
  /** Answers this from now on; `silent`: takes deliveries and says nothing. */
  answer(status: number | 'silent'): void
  close(): Promise<void>
}

const PATIENCE_MS = 50_000

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const headers: IncomingHttpHeaders[] = []
  const bodies: Buffer[] = []
  const waiting = new Set<() => void>()
  let status: number | 'silent' = 200
  const server = createServer(async (request, response) => {
    const sent = await buffer(request)
    headers.push(request.headers)
    if (status === 'silent') return
    if (status === 200 && request.url === '/v1/traces') {
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
      bodies.push(body)
      spans.push(...decodeRequest(body))
    }
    response.writeHead(request.url === '/v1/traces' ? status : 404, { 'Content-Type': 'application/x-protobuf' }).end()
    for (const look of waiting) look()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    raw: () => Buffer.concat(bodies),
    span(fits) {
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`not among ${JSON.stringify(spans.map(({ name }) => name))}`))
        }, PATIENCE_MS)
        const look = () => {
          const found = spans.find(fits)
          if (found === undefined) return
          clearTimeout(late)
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      })
    },
    answer(next) {
      status = next
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** A message of protobuf: its fields by number, each as often as it stands there. */
type Message = Map<number, (Buffer | bigint)[]>

function decode(bytes: Buffer): Message {
  const message: Message = new Map()
  let at = 0
  const varint = () => {
    let [value, shift] = [0n, 0n]
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('the message ends in the middle')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
      shift += 7n
    }
  }
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const wire = tag & 7
    if (![0, 1, 2, 5].includes(wire)) throw new Error(`wire type ${wire}`)
    const value =
      wire === 0
        ? varint()
        : wire === 1
          ? take(8).readBigUInt64LE()
          : wire === 5
            ? BigInt(take(4).readUInt32LE())
            : take(Number(varint()))
    message.set(tag >> 3, [...(message.get(tag >> 3) ?? []), value])
  }
  return message
}

const all = (message: Message, field: number) => (message.get(field) ?? []) as Buffer[]
const bytesOf = (message: Message, field: number) => all(message, field)[0] ?? Buffer.alloc(0)
const numberOf = (message: Message, field: number) => (message.get(field)?.[0] as bigint | undefined) ?? 0n

function attributesOf(message: Message, field: number): Record<string, unknown> {
  return Object.fromEntries(
    all(message, field).map((each) => {
      const pair = decode(each)
      const value = decode(bytesOf(pair, 2))
      const [[kind, [read] = []] = []] = value
      const plain =
        kind === 1 ? String(read) : kind === 2 ? read === 1n : kind === 3 ? Number(read) : kind === 4 ? 'double' : read
      return [bytesOf(pair, 1).toString(), plain]
    }),
  )
}

function decodeRequest(body: Buffer): ReceivedSpan[] {
  return all(decode(body), 1).flatMap((each) => {
    const resourceSpans = decode(each)
    const resource = attributesOf(decode(bytesOf(resourceSpans, 1)), 1)
    return all(resourceSpans, 2).flatMap((scope) => all(decode(scope), 2).map((span) => decodeSpan(span, resource)))
  })
}

function decodeSpan(bytes: Buffer, resource: ReceivedSpan['resource']): ReceivedSpan {
  const span = decode(bytes)
  const status = decode(bytesOf(span, 15))
  return {
    traceId: bytesOf(span, 1).toString('hex'),
    spanId: bytesOf(span, 2).toString('hex'),
    parentSpanId: bytesOf(span, 4).toString('hex'),
    name: bytesOf(span, 5).toString(),
    kind: Number(numberOf(span, 6)),
    startNs: numberOf(span, 7),
    endNs: numberOf(span, 8),
    attributes: attributesOf(span, 9),
    status: { code: Number(numberOf(status, 3)), message: bytesOf(status, 2).toString() },
    resource,
  }
}
