import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { run } from './command.ts'
import type { ComposeFile } from './compose-file.ts'
import type { ImageConfig } from './image-config.ts'
import { type ContainerOptions, type Finished, OciContainer, runContainer } from './oci-container.ts'

const HEALTHY_WITHIN_MS = 60_000
const POLL_MS = 100

export interface BuiltImage {
  readonly rootfs: string
  readonly config: ImageConfig
}

/** Ports of loopback, in place of names in a network of containers. */
export type Ports = Readonly<Record<'database' | 'aws' | 'accounts-1' | 'accounts-2' | 'proxy', number>>

export interface ComposeRunOptions {
  readonly file: ComposeFile
  readonly folder: string
  readonly images: Readonly<Record<string, BuiltImage>>
  readonly ports: Ports
}

/** Services of a compose file as containers of ours, side by side on this machine's loopback. */
export class ComposeRun {
  readonly #options: ComposeRunOptions
  readonly #running: OciContainer[] = []
  #proxy: ChildProcess | undefined
  #count = 0

  constructor(options: ComposeRunOptions) {
    this.#options = options
  }

  /** Resolves when its health check passes. @throws Error when it does not in a minute, or when it ends. */
  async start(name: string, volumes: Readonly<Record<string, string>> = {}): Promise<OciContainer> {
    const container = new OciContainer({ ...this.#container(name), volumes })
    this.#running.push(container)
    const { file, images } = this.#options
    const service = file.services[name]
    const image = images[service?.build?.target ?? '']
    const [, ...test] = service?.healthcheck?.test ?? image?.config.Healthcheck?.Test ?? []
    const command = test.map((word) => this.#ownPort(name, word))
    let ended = false
    void container.ended.then(() => {
      ended = true
    })
    while (!ended && performance.now() - container.startedAt < HEALTHY_WITHIN_MS) {
      if ((await container.exec(command)).code === 0) return container
      await delay(POLL_MS)
    }
    throw new Error(`${name} is not healthy: ${container.stderr.slice(0, 2000)}`)
  }

  /** `docker compose run --rm <name> <command>`. */
  once(name: string, command?: readonly string[]): Promise<Finished> {
    return runContainer({ ...this.#container(name), ...(command === undefined ? {} : { command }) })
  }

  /** HAProxy of this machine with the file's own configuration. */
  async startProxy(): Promise<void> {
    const { file, folder, ports } = this.#options
    const given = path.join(folder, 'haproxy.cfg')
    writeFileSync(given, file.configs.haproxy?.content ?? '')
    await run('haproxy', ['-c', '-f', given])
    const used = path.join(folder, 'haproxy-here.cfg')
    const text = this.#placed(file.configs.haproxy?.content ?? '').replace(/bind :\d+/, `bind 127.0.0.1:${ports.proxy}`)
    writeFileSync(used, text)
    this.#proxy = spawn('haproxy', ['-db', '-f', used], { stdio: 'ignore' })
    const started = performance.now()
    while (performance.now() - started < HEALTHY_WITHIN_MS && this.#proxy.exitCode === null) {
      const ready = await fetch(`http://127.0.0.1:${ports.proxy}/readyz`).then(
        (response) => response.ok,
        () => false,
      )
      if (ready) return
      await delay(POLL_MS)
    }
    throw new Error('the proxy is not ready')
  }

  async stop(): Promise<void> {
    if (this.#proxy?.exitCode === null) {
      this.#proxy.kill('SIGTERM')
      await once(this.#proxy, 'close')
    }
    for (const container of this.#running) await container.remove()
  }

  #container(name: string): ContainerOptions {
    const { file, folder, images, ports } = this.#options
    const service = file.services[name]
    const image = images[service?.build?.target ?? '']
    if (service === undefined || image === undefined) throw new Error(`${name} is not built from here`)
    const { command, entrypoint, environment = {} } = service
    const settings = Object.entries(environment).map(([key, value]) => [key, this.#placed(String(value))])
    const port = String(ports[name as keyof Ports] ?? 0)
    const place =
      name === 'aws' ? { LOCAL_AWS_HOST: '127.0.0.1', LOCAL_AWS_PORT: port } : { HOST: '127.0.0.1', PORT: port }
    this.#count += 1
    return {
      name: `rocketgames-compose-${name}-${this.#count}`,
      folder,
      rootfs: image.rootfs,
      image: image.config,
      env: { ...Object.fromEntries(settings), ...place },
      memoryMiB: 1024,
      ...(command === undefined ? {} : { command }),
      ...(entrypoint === undefined ? {} : { entrypoint }),
    }
  }

  /** `database:5432` and its like, where they are here. */
  #placed(text: string): string {
    return text.replaceAll(/\b(database|aws|accounts-1|accounts-2):\d+/g, (_all, name: keyof Ports) => {
      return `127.0.0.1:${this.#options.ports[name]}`
    })
  }

  /** In a container each service has its own 3000 or 4566. */
  #ownPort(name: string, text: string): string {
    return text.replaceAll(/\b(3000|4566)\b/g, String(this.#options.ports[name as keyof Ports] ?? 0))
  }
}
