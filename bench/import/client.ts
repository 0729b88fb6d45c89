/** A process of its own: sends a file to the import and reads the answer, as fast as both go. Prints what came of it as JSON. */
import { createReadStream } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { pipeline } from 'node:stream/promises'

const [url = '', token = '', file = ''] = process.argv.slice(2)
const NEWLINE = 0x0a

export interface Sent {
  /** Lines of the answer, its last one not counted. */
  readonly lines: number
  /** The last line. */
  readonly end: { readonly _end?: Readonly<Record<string, number>> }
  readonly ms: number
  readonly cpuMs: number
}

async function send(): Promise<Sent> {
  const began = performance.now()
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-ndjson' }
  const call = request(`${url}/v1/imports/players`, { method: 'POST', headers })
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    call.once('response', resolve).once('error', reject),
  )
  const sending = pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), call)
  sending.catch(() => undefined)
  const answer = await answered
  let lines = 0
  let last: Buffer = Buffer.alloc(0)
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines++
    last = Buffer.concat([last, chunk]).subarray(-4096)
  }
  const end = JSON.parse(last.toString('utf8').trimEnd().split('\n').at(-1) ?? '') as Sent['end']
  await sending
  const { user, system } = process.cpuUsage()
  return { lines: lines - 1, end, ms: performance.now() - began, cpuMs: (user + system) / 1000 }
}

console.log(JSON.stringify(await send()))
