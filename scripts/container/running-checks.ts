import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { Checks } from './checks.ts'
import { checkCare, checkChildSnapshot, checkSnapshot } from './lake-checks.ts'
import { command, last, type RunningOptions, type Service, startService } from './program-container.ts'

/** As the task definitions have it: SIGKILL comes after 60 s, the program ends its requests after SHUTDOWN_GRACE. */
const GRACE_MS = 25_000

/** The image's commands, each as a container with its own settings, against the stand-ins. */
export async function checkRunning(options: RunningOptions): Promise<void> {
  const { checks } = options
  await checks.guard('refusals', () => checkRefusals(options))
  await checks.guard('migrate', () => checkMigrate(options))
  const key = await createKey(options)
  if (key === undefined) return
  await checks.guard('serve', () => checkService(options, key))
  await checks.guard('snapshot', () => checkSnapshot(options))
  await checks.guard('snapshot of the service', () => checkChildSnapshot(options, key))
  await checks.guard('care', () => checkCare(options))
}

async function checkRefusals(options: RunningOptions): Promise<void> {
  const { checks } = options
  const bare = await command(options, ['serve'], {})
  const said = `${bare.stderr}`.trim().replaceAll('\n', ' ').slice(0, 90)
  checks.note(
    'without settings: exit code 2 and what is missing',
    bare.code === 2 && /DATABASE_URL/.test(bare.stderr),
    said,
  )
  const version = await command(options, ['--version'], {})
  checks.note('--version', version.code === 0, `${version.stdout.trim()}, ${version.ms} ms`)
}

async function checkMigrate(options: RunningOptions): Promise<void> {
  const { checks, standIns } = options
  const first = await command(options, ['migrate'], { ...standIns.migrate })
  checks.note('migrate', first.code === 0, first.code === 0 ? `${first.ms} ms` : last(first))
  const again = await command(options, ['migrate'], { ...standIns.migrate })
  checks.note('migrate again', again.code === 0 && /up to date/.test(again.stdout), `${again.ms} ms`)
}

async function createKey(options: RunningOptions): Promise<string | undefined> {
  const { checks, standIns } = options
  const made = await command(options, ['keys', 'create', '--name', 'container check'], { ...standIns.keys })
  const key = made.stdout.trim()
  const fine = made.code === 0 && /^\S{20,}$/.test(key)
  checks.note('keys create', fine, fine ? `${made.ms} ms` : last(made))
  return fine ? key : undefined
}

async function checkService(options: RunningOptions, key: string): Promise<void> {
  const { checks } = options
  const service = await startService(options)
  try {
    checks.note('serve: start to ready', true, `${service.readyMs} ms`)
    await checks.guard('confinement', () => checkConfinement(service, checks))
    await checks.guard('API', () => checkApi(service, key, checks))
    await checks.guard('health check', () => checkHealth(service, options))
    await checks.guard('process 1', () => checkReaping(service, checks))
    await checks.guard('SIGTERM', () => checkStop(service, key, checks))
  } finally {
    await service.container.remove()
  }
}

/** What the machine and the container itself say of its rights. */
async function checkConfinement({ container }: Service, checks: Checks): Promise<void> {
  const { Uid = '', CapEff = '', CapBnd = '', NoNewPrivs } = await container.status()
  const uid = Uid.split(/\s/)[0]
  checks.note('runs as', uid === '1000', `uid ${uid}`)
  checks.note('has no capabilities and gets none', !/[1-9a-f]/.test(CapEff + CapBnd) && NoNewPrivs === '1')
  const probe = `for (const dir of ['/', '/app', '/tmp', '/var/tmp', '/home/node', '/run']) {
    try { require('node:fs').writeFileSync(dir + '/probe', ''); console.log(dir) } catch {} }`
  const { code, stdout } = await container.exec(['node', '-e', probe])
  checks.note('nothing can be written: root file system read-only, no /tmp', code === 0 && stdout === '', stdout.trim())
}

async function checkApi({ url }: Service, key: string, checks: Checks): Promise<void> {
  const without = await fetch(`${url}/v1/whoami`)
  const authorization = `Bearer ${key}`
  const me = await fetch(`${url}/v1/whoami`, { headers: { authorization } })
  checks.note(
    'GET /v1/whoami',
    without.status === 401 && me.status === 200,
    `${without.status} without a key, ${me.status}`,
  )
  const made = await fetch(`${url}/v1/studios`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', 'idempotency-key': 'container-check-0001' },
    body: JSON.stringify({ slug: 'container-check', name: 'Container check', country: 'DE' }),
  })
  const read = await fetch(`${url}/v1/studios/slug:container-check`, { headers: { authorization } })
  checks.note('POST and GET /v1/studios', made.status === 201 && read.status === 200, `${made.status}, ${read.status}`)
  const page = await fetch(`${url}/docs`)
  const guide = await fetch(`${url}/docs/guides/getting-started`)
  checks.note('the API page and its guides', page.ok && guide.ok, `${page.status}, ${guide.status}`)
}

async function checkHealth({ container, url }: Service, { image, checks }: RunningOptions): Promise<void> {
  const [kind, ...words] = image.Healthcheck?.Test ?? []
  const port = new URL(url).port
  const [alive, dead] = await Promise.all([container.exec(words, { PORT: port }), container.exec(words, { PORT: '1' })])
  checks.note(
    'the health check tells alive from dead',
    kind === 'CMD' && alive.code === 0 && dead.code === 1,
    `${alive.code}, ${dead.code}`,
  )
}

/** A process whose parent is gone belongs to process 1, which must not let it become a zombie when it ends. */
async function checkReaping({ container }: Service, checks: Checks): Promise<void> {
  const orphan = `require('node:child_process').spawn('sleep', ['0.3'], { detached: true, stdio: 'ignore' }).unref()`
  await container.exec(['node', '-e', orphan])
  const before = await container.processes()
  await delay(1_000)
  const after = await container.processes()
  const names = after.map(({ name }) => name).join(' ')
  const gone = before.some(({ name }) => name === 'sleep') && !after.some(({ name }) => name === 'sleep')
  checks.note('process 1 reaps orphans', gone && after.every(({ state }) => state !== 'Z'), names)
}

/** An import whose body is half there when SIGTERM comes: it must be taken to its end, and nothing new begun. */
async function checkStop({ container, url }: Service, key: string, checks: Checks): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' }
  const sending = request(`${url}/v1/imports/players`, { method: 'POST', headers })
  const answered = new Promise<string>((resolve, reject) => {
    sending.once('error', reject).once('response', (response) => text(response).then(resolve, reject))
  })
  const line = (n: number) => `${JSON.stringify({ username: `container-check-${n}`, country: 'SE' })}\n`
  sending.write(line(1) + line(2))
  await delay(300)
  const memory = await container.peakMemoryMiB()
  const asked = performance.now()
  await container.signal('TERM')
  await delay(700)
  const late = await fetch(`${url}/v1/whoami`, { headers: { authorization: headers.authorization } }).then(
    ({ status }) => status,
    () => 0,
  )
  sending.end(line(3))
  const answer = await answered
  const code = await container.ended
  const ms = Math.round(performance.now() - asked)
  checks.note(
    'SIGTERM: a request in flight is finished',
    /"lines":3,"created":3/.test(answer),
    answer.trim().split('\n').at(-1),
  )
  checks.note(
    'SIGTERM: nothing new is begun',
    late === 0 || late === 503,
    late === 0 ? 'connection refused' : String(late),
  )
  checks.note(
    'SIGTERM: exit code 0 within the grace',
    code === 0 && ms < GRACE_MS,
    `${code}, ${ms} ms (700 of them the request's)`,
  )
  checks.note('serve: most memory', memory !== undefined, `${memory} MiB of 512`)
}
