import type { Buildah } from './buildah.ts'

/** What an image says of itself (Docker image format, version 2 schema 2). */
export interface ImageConfig {
  readonly User?: string
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly StopSignal?: string
  readonly Healthcheck?: { readonly Test?: readonly string[] }
}

export interface ImageFacts {
  readonly config: ImageConfig
  /** The instructions that made its layers. */
  readonly history: readonly string[]
}

interface Inspected {
  readonly Docker: {
    readonly config: ImageConfig
    readonly history: readonly { readonly created_by?: string }[]
  }
}

export async function imageFacts(buildah: Buildah, image: string): Promise<ImageFacts> {
  const { Docker } = JSON.parse(await buildah.run(['inspect', '--type', 'image', image])) as Inspected
  return { config: Docker.config, history: Docker.history.map((step) => step.created_by ?? '') }
}

export const commandOf = ({ Entrypoint = [], Cmd = [] }: ImageConfig, given?: readonly string[]): string[] => [
  ...Entrypoint,
  ...(given ?? Cmd),
]
