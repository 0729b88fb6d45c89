import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { attempt, type CommandOptions, run } from './command.ts'

/** Images and working containers in a storage of our own, so that nothing of the machine's is touched. */
export class Buildah {
  readonly #global: readonly string[]
  readonly #root: string
  readonly driver: string

  private constructor(folder: string, driver: string) {
    this.driver = driver
    this.#root = path.join(folder, driver)
    const places = ['--root', this.#root, '--runroot', path.join(folder, `${driver}-run`)]
    this.#global = [...places, '--storage-driver', driver]
  }

  /** With overlay file systems where the kernel has them; else vfs, which copies everything at every step. */
  static async open(folder: string): Promise<Buildah> {
    mkdirSync(folder, { recursive: true })
    const asked = process.env.STORAGE_DRIVER
    if (asked) return new Buildah(folder, asked)
    const overlay = new Buildah(folder, 'overlay')
    const { code } = await attempt('buildah', [...overlay.#global, 'info'])
    return code === 0 ? overlay : new Buildah(folder, 'vfs')
  }

  /** Its standard output, trimmed. @throws Error when it fails. */
  async run(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return (await run('buildah', [...this.#global, ...args], options)).trim()
  }

  async hasImage(name: string): Promise<boolean> {
    return (await attempt('buildah', [...this.#global, 'inspect', '--type', 'image', name])).code === 0
  }

  /** A folder with the image's files; `remove` gives it back. What is written there never comes back to the image. */
  async mount(image: string): Promise<{ readonly folder: string; remove(): Promise<void> }> {
    const container = await this.run(['from', '--pull-never', image])
    const folder = await this.run(['mount', container])
    return { folder, remove: async () => void (await this.run(['rm', container], { cleansUp: true })) }
  }

  /** Uncompressed bytes of every layer in the storage, by its digest (a `diff_id` of an image's configuration). */
  layerSizes(): ReadonlyMap<string, number> {
    const file = path.join(this.#root, `${this.driver}-layers`, 'layers.json')
    const layers = JSON.parse(readFileSync(file, 'utf8')) as readonly { 'diff-digest'?: string; 'diff-size'?: number }[]
    return new Map(layers.map((layer) => [layer['diff-digest'] ?? '', layer['diff-size'] ?? 0]))
  }
}
