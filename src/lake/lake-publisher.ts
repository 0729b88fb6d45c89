import type { LakeViews } from './athena/lake-views.ts'
import { describeCall } from './aws-calls.ts'
import type { Catalogue } from './catalogue/catalogue.ts'
import { LakeProblem, type LakeProblemCode } from './lake-problem.ts'
import type { Manifest } from './manifest.ts'
import {
  type Finding,
  type PlannedChanges,
  type PublishedSnapshot,
  type Publisher,
  publishedSnapshot,
  type RegisterOptions,
} from './publication.ts'

/** Publication through the Glue catalogue and Athena's views. */
export class LakePublisher implements Publisher {
  readonly #catalogue: Catalogue
  readonly #views: LakeViews

  constructor(catalogue: Catalogue, views: LakeViews) {
    this.#catalogue = catalogue
    this.#views = views
  }

  crawlerReady(deadline: Date, signal?: AbortSignal): Promise<void> {
    const call = () => this.#catalogue.crawlerReady(deadline, signal)
    return named('catalogue_failed', 'The catalogue cannot be prepared', call, signal)
  }

  register(manifest: Manifest, options: RegisterOptions = {}): Promise<void> {
    const call = () => this.#catalogue.register(manifest, options)
    return named('catalogue_failed', 'The snapshot cannot be registered', call, options.signal)
  }

  publishViews(live: readonly PublishedSnapshot[], signal?: AbortSignal): Promise<void> {
    return named('query_failed', 'The views cannot be moved', () => this.#views.publish(live, signal), signal)
  }

  unregister(manifest: Manifest): Promise<void> {
    return named('catalogue_failed', 'Partitions cannot be removed', () => this.#catalogue.unregister(manifest))
  }

  async findings(live: readonly Manifest[]): Promise<Finding[]> {
    const catalogue = await named('catalogue_failed', 'The catalogue cannot be read', () =>
      this.#catalogue.findings(live),
    )
    const views = await named('query_failed', 'The views cannot be read', () =>
      this.#views.findings(live.map(publishedSnapshot)),
    )
    return [...catalogue, ...views]
  }

  plannedChanges(): Promise<PlannedChanges> {
    return named('catalogue_failed', 'The catalogue cannot be read', () => this.#catalogue.plannedChanges())
  }
}

/** Gives errors of the services a code of ours; those that have one pass as they are, and so does the reason of an abort. */
async function named<T>(
  code: LakeProblemCode,
  message: string,
  call: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof LakeProblem) throw error
    throw new LakeProblem(code, `${message}: ${describeCall(error)}`, {}, error)
  }
}
