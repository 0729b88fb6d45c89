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
  /** Every instruction that it was made by. */
  readonly history: readonly string[]
  /** Those that made its layers, one each. */
  readonly steps: readonly string[]
}

interface Inspected {
  readonly Docker: {
    readonly config: ImageConfig
    readonly history: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[]
  }
}

export async function imageFacts(buildah: Buildah, image: string): Promise<ImageFacts> {
  const { Docker } = JSON.parse(await buildah.run(['inspect', '--type', 'image', image])) as Inspected
  const said = (steps: Inspected['Docker']['history']) =>
    steps.map(({ created_by = '' }) =>
      created_by.replace('/bin/sh -c #(nop) ', '').replace('/bin/sh -c ', 'RUN ').trim(),
    )
  const { config, history } = Docker
  return { config, history: said(history), steps: said(history.filter((step) => step.empty_layer !== true)) }
}

export const commandOf = ({ Entrypoint = [], Cmd = [] }: ImageConfig, given?: readonly string[]): string[] => [
  ...Entrypoint,
  ...(given ?? Cmd),
]
