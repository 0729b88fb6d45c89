import { setTimeout as delay } from 'node:timers/promises'
import type { Checks } from './checks.ts'
import { freePort } from './free-port.ts'
import type { ImageConfig } from './image-config.ts'
import { type ContainerOptions, type Finished, OciContainer, runContainer } from './oci-container.ts'
import type { StandIns } from './stand-ins.ts'

const READY_WITHIN_MS = 60_000
const POLL_MS = 20

export interface RunningOptions {
  readonly folder: string
  readonly rootfs: string
  readonly image: ImageConfig
  readonly standIns: StandIns
  readonly checks: Checks
}

/** Runs a command of the program to its end. */
export const command = (
  { folder, image, rootfs }: RunningOptions,
  words: readonly string[],
  env: Record<string, string>,
) => runContainer({ name: `rocketgames-${words[0]}`, folder, rootfs, image, command: words, env })

export const last = ({ stderr, stdout }: Pick<Finished, 'stderr' | 'stdout'>) =>
  `${stdout}${stderr}`.trim().split('\n').at(-1)

export interface Service {
  readonly container: OciContainer
  readonly url: string
  readonly readyMs: number
}

/** Resolves when `/readyz` says so. @throws Error with its last words when it ends before, or is not ready in a minute. */
export async function startService(
  options: RunningOptions,
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const { folder, image, rootfs, standIns } = options
  const port = await freePort()
  const settings = { ...standIns.serve, ...env, PORT: String(port), HOST: '127.0.0.1' }
  const given: ContainerOptions = { name: 'rocketgames-serve', folder, rootfs, image, env: settings }
  const container = new OciContainer(given)
  const url = `http://127.0.0.1:${port}`
  const ended = container.ended.then(() => true)
  while (performance.now() - container.startedAt < READY_WITHIN_MS) {
    const ready = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return { container, url, readyMs: Math.round(performance.now() - container.startedAt) }
    if (await Promise.race([ended, delay(POLL_MS, false)])) break
  }
  const said = last(container)
  await container.remove()
  throw new Error(`not ready: ${said}`)
}
