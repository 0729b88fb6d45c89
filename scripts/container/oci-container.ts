import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { attempt, endsWithUs, interrupted, type Ran, run } from './command.ts'
import { commandOf, type ImageConfig } from './image-config.ts'

const MIB = 1024 * 1024

export interface ContainerOptions {
  readonly name: string
  /** Holds the bundles and runc's state. */
  readonly folder: string
  /** The image's files; may be shared by several containers, as none can write there. */
  readonly rootfs: string
  readonly image: ImageConfig
  /** In place of the image's CMD. */
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly memoryMiB?: number
  /** In place of the image's ENTRYPOINT. */
  readonly entrypoint?: readonly string[]
  /** Folders of this machine that can be written, by where they are in the container. */
  readonly volumes?: Readonly<Record<string, string>>
}

/** OCI runtime specification 1.0.2, config.json. The network is the machine's: the stand-ins listen on its loopback. */
function specification(options: ContainerOptions): object {
  const { command, entrypoint, env = {}, image, memoryMiB = 512, rootfs, volumes = {} } = options
  const [uid = 0, gid = 0] = (image.User || '0').split(':').map(Number)
  const none: readonly string[] = []
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid, gid },
      args: commandOf(entrypoint === undefined ? image : { Entrypoint: entrypoint, Cmd: [] }, command),
      env: [...(image.Env ?? []), ...Object.entries(env).map(([key, value]) => `${key}=${value}`)],
      cwd: image.WorkingDir || '/',
      noNewPrivileges: true,
      capabilities: { bounding: none, effective: none, inheritable: none, permitted: none, ambient: none },
    },
    root: { path: rootfs, readonly: true },
    // No /tmp and no volume: there is nothing that could be written, as with readonlyRootFilesystem on ECS.
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      ...Object.entries(volumes).map(([destination, source]) => {
        return { destination, type: 'bind', source, options: ['bind', 'rw', 'nosuid', 'nodev'] }
      }),
    ],
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
      resources: { memory: { limit: memoryMiB * MIB, swap: memoryMiB * MIB } },
    },
  }
}

/** A container that runs: read-only, without capabilities, with its own processes, under a limit of memory. */
export class OciContainer {
  readonly #name: string
  readonly #state: readonly string[]
  readonly #child: ChildProcess
  readonly #bundle: string
  #stdout = ''
  #stderr = ''
  readonly startedAt = performance.now()
  /** Its exit code, once its process 1 has ended. */
  readonly ended: Promise<number | null>

  constructor(options: ContainerOptions) {
    interrupted.throwIfAborted()
    const { folder, name } = options
    this.#name = name
    this.#state = ['--root', path.join(folder, 'runc')]
    this.#bundle = path.join(folder, `bundle-${name}`)
    mkdirSync(this.#bundle, { recursive: true })
    writeFileSync(path.join(this.#bundle, 'config.json'), JSON.stringify(specification(options)), { mode: 0o600 })
    const args = [...this.#state, 'run', '--bundle', this.#bundle, name]
    this.#child = spawn('runc', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    endsWithUs(this.#child)
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk
    })
    this.ended = once(this.#child, 'close').then(([code]) => {
      rmSync(this.#bundle, { recursive: true, force: true })
      return code as number | null
    })
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Sends a signal to process 1. */
  async signal(name: 'TERM' | 'KILL'): Promise<void> {
    await attempt('runc', [...this.#state, 'kill', this.#name, name], { cleansUp: true })
  }

  /** Runs a command beside process 1, as `docker exec` and health checks do. */
  exec(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const given = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`])
    return attempt('runc', [...this.#state, 'exec', ...given, this.#name, ...command])
  }

  /** Process 1 as the machine sees it. */
  async #pid(): Promise<number> {
    return (JSON.parse(await run('runc', [...this.#state, 'state', this.#name])) as { pid: number }).pid
  }

  /** Lines of `/proc/<pid>/status` of process 1. */
  async status(): Promise<Readonly<Record<string, string>>> {
    const text = readFileSync(`/proc/${await this.#pid()}/status`, 'utf8')
    return Object.fromEntries(text.split('\n').map((each) => each.split(/:\s+/, 2)))
  }

  /** Names and states of all its processes. */
  async processes(): Promise<{ readonly name: string; readonly state: string }[]> {
    const listed = await run('runc', [...this.#state, 'ps', '--format', 'json', this.#name])
    return (JSON.parse(listed) as number[]).flatMap((pid) => {
      if (!existsSync(`/proc/${pid}/stat`)) return []
      const [, name = '', state = ''] = /\((.*)\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
      return [{ name, state }]
    })
  }

  /** The most memory that all its processes had at once, in MiB, the page cache of its files included. */
  async peakMemoryMiB(): Promise<number | undefined> {
    const groups = readFileSync(`/proc/${await this.#pid()}/cgroup`, 'utf8').split('\n')
    const own = (controller: string) =>
      groups.map((line) => line.split(':')).find(([, name]) => name === controller)?.[2]
    const files = [
      `/sys/fs/cgroup/memory${own('memory') ?? '/none'}/memory.max_usage_in_bytes`,
      `/sys/fs/cgroup${own('') ?? '/none'}/memory.peak`,
    ]
    const file = files.find((each) => existsSync(each))
    return file === undefined ? undefined : Math.round(Number(readFileSync(file, 'utf8')) / MIB)
  }

  /** Ends it whatever it does. */
  async remove(): Promise<void> {
    await this.signal('KILL')
    await this.ended
    await attempt('runc', [...this.#state, 'delete', '--force', this.#name], { cleansUp: true })
  }
}

export interface Finished extends Ran {
  readonly ms: number
}

/** Runs a container to its end. */
export async function runContainer(options: ContainerOptions): Promise<Finished> {
  const container = new OciContainer(options)
  const code = await container.ended
  const ms = Math.round(performance.now() - container.startedAt)
  return { code, stdout: container.stdout, stderr: container.stderr, ms }
}
