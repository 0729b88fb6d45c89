import type { Call, Caller } from './caller.ts'

/** What the service has said yes to, or may have done all the same: to be looked for in the database. */
export interface Books {
  /** By user name: how the creation went. */
  readonly created: Map<string, Sent>
  /** By request id. */
  readonly renamed: Map<string, Sent & { readonly playerId: string; readonly name: string }>
  /** By player: totals of play time, the greatest that was acknowledged and the greatest that was sent. */
  readonly played: Map<string, { acknowledged: number; sent: number }>
  /** Wrong answers: sentences. */
  readonly complaints: string[]
}

export interface Sent {
  readonly requestId: string
  acknowledged: boolean
}

export interface Load {
  readonly books: Books
  /** Resolves when so many calls more have been answered well. */
  more(calls: number): Promise<void>
  stop(): Promise<void>
}

export interface LoadOptions {
  /** Before everything that it makes: user names, request ids. */
  readonly prefix: string
  /** Of these the last one imports, the one before reports play time. */
  readonly writers: number
  readonly readers: number
  /** Between two calls of one of them. */
  readonly pauseMs: number
  /** Whom play time is reported for. */
  readonly line: (n: number) => { readonly playerId: string; readonly gameId: string; readonly platform: string }
}

const IMPORT_LINES = 20
const JSON_LINES = /\n$/

/** Writers and readers side by side, each one call after the other, until they are stopped. */
export function startLoad(caller: Caller, options: LoadOptions): Load {
  const books: Books = { created: new Map(), renamed: new Map(), played: new Map(), complaints: [] }
  const known: string[] = []
  const waiting = new Set<{ readonly at: number; readonly wake: () => void }>()
  let stopped = false
  const work = async (step: (turn: number) => Promise<void>) => {
    for (let turn = 0; !stopped; turn++) {
      await step(turn)
      for (const one of waiting) if (caller.answered() >= one.at) waiting.delete(one) && one.wake()
      await new Promise((resolve) => setTimeout(resolve, options.pauseMs))
    }
  }
  const steps = [
    ...Array.from({ length: options.writers - 2 }, (_, i) => creator(caller, options.prefix, i, books, known)),
    importer(caller, options.prefix, books),
    reporter(caller, options, books),
    ...Array.from({ length: options.readers }, () => reader(caller, options.prefix, books, known)),
  ]
  const working = Promise.all(steps.map(work))
  working.catch(() => undefined)
  return {
    books,
    more: (calls) =>
      Promise.race([
        new Promise<void>((wake) => {
          waiting.add({ at: caller.answered() + calls, wake })
        }),
        working.then(() => undefined),
      ]),
    async stop() {
      stopped = true
      await working
    },
  }
}

/** Makes a player and gives it two other names, one after the other. */
function creator(caller: Caller, prefix: string, writer: number, books: Books, known: string[]) {
  return async (turn: number) => {
    const username = `${prefix}_${writer}_${turn}`
    const requestId = `${prefix}-create-${writer}-${turn}`
    const sent: Sent = { requestId, acknowledged: false }
    books.created.set(username, sent)
    const made = await caller.call({
      kind: 'create',
      method: 'POST',
      path: '/v1/players',
      body: { username },
      requestId,
    })
    if (made === undefined) return
    const { id, username: said } = made.body as { id: string; username: string }
    if (said !== username) books.complaints.push(`${username} was answered by ${said}`)
    sent.acknowledged = true
    known.push(id)
    for (const step of ['a', 'b']) await rename(caller, books, id, `${prefix}-rename-${writer}-${turn}-${step}`)
  }
}

async function rename(caller: Caller, books: Books, playerId: string, requestId: string): Promise<void> {
  const change = { requestId, acknowledged: false, playerId, name: requestId }
  books.renamed.set(requestId, change)
  const call: Call = {
    ...{ kind: 'patch', method: 'PATCH', path: `/v1/players/${playerId}`, requestId },
    body: { displayName: requestId },
    headers: { 'If-Match': '*' },
  }
  const renamed = await caller.call(call)
  if (renamed === undefined) return
  change.acknowledged = true
  const { displayName } = renamed.body as { displayName: string }
  if (displayName !== requestId) books.complaints.push(`${requestId} was answered by ${displayName}`)
}

/** What a line answers is acknowledged, whatever becomes of the rest. */
function importer(caller: Caller, prefix: string, books: Books) {
  return async (turn: number) => {
    const requestId = `${prefix}-import-${turn}`
    const names = Array.from({ length: IMPORT_LINES }, (_, n) => `${prefix}_i_${turn}_${n}`)
    for (const username of names) books.created.set(username, { requestId, acknowledged: false })
    const body = names.map((username) => `${JSON.stringify({ username })}\n`).join('')
    const headers = { Accept: 'application/x-ndjson', 'Content-Type': 'application/x-ndjson' }
    const call: Call = { kind: 'import', method: 'POST', path: '/v1/imports/players', body, headers, requestId }
    const answer = await caller.call(call)
    if (answer === undefined) return
    const lines = String(answer.body)
      .replace(JSON_LINES, '')
      .split('\n')
      .map((line) => JSON.parse(line) as { line?: number; status?: string })
    for (const { line, status } of lines) {
      const sent = line === undefined ? undefined : books.created.get(names[line - 1] ?? '')
      if (sent !== undefined && (status === 'created' || status === 'unchanged')) sent.acknowledged = true
    }
  }
}

function reporter(caller: Caller, { prefix, line }: LoadOptions, books: Books) {
  return async (turn: number) => {
    const of = line(turn)
    const totals = books.played.get(of.playerId) ?? { acknowledged: 0, sent: 0 }
    books.played.set(of.playerId, totals)
    totals.sent += 60
    const body = [{ ...of, playtimeSeconds: totals.sent }]
    const requestId = `${prefix}-played-${turn}`
    const answer = await caller.call({ kind: 'playtime', method: 'POST', path: '/v1/playtime', body, requestId })
    if (answer === undefined) return
    const [{ status }] = (answer.body as { data: [{ status: string }] }).data
    if (status === 'error') books.complaints.push(`${requestId} was refused`)
    else totals.acknowledged = totals.sent
  }
}

/** A record, then a list, in turns; what was acknowledged is there for whoever asks next, whichever replica answers. */
function reader(caller: Caller, prefix: string, books: Books, known: readonly string[]) {
  return async (turn: number) => {
    const id = known[(turn * 7919) % Math.max(1, known.length)]
    const requestId = `${prefix}-read-${turn}`
    if (turn % 2 === 0 && id !== undefined) {
      const read = await caller.call({ kind: 'read', method: 'GET', path: `/v1/players/${id}`, requestId })
      if (read !== undefined && (read.body as { id: string }).id !== id)
        books.complaints.push(`${id} was read as another`)
      return
    }
    const listed = await caller.call({ kind: 'list', method: 'GET', path: '/v1/players?limit=10', requestId })
    if (listed === undefined) return
    if (!Array.isArray((listed.body as { data: unknown }).data)) books.complaints.push('a list without data')
  }
}
