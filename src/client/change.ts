import type { paths } from './generated-api.ts'
import { ProblemError } from './problem-error.ts'
import type { Answer, Call, DataOf, InitOf, PathOf } from './typed-call.ts'

/** Paths that can be read and patched. */
export type ChangePath = PathOf<'get'> & PathOf<'patch'>

type Place<P extends ChangePath> = Pick<InitOf<P, 'get' & keyof paths[P]>, 'params' | 'signal'>
type PatchOf<P extends ChangePath> = InitOf<P, 'patch' & keyof paths[P]> extends { body: infer Body } ? Body : never
type Data<P extends ChangePath> = DataOf<P, 'get' & keyof paths[P]>

export type Change = <P extends ChangePath>(
  path: P,
  place: Place<P>,
  change: (record: Data<P>) => PatchOf<P> | undefined,
) => Promise<Answer<Data<P>>>

/** Others cannot win so often by accident. */
const MAX_ATTEMPTS = 5

type AnyCall = (path: string, init: object) => Promise<Answer<unknown>>

/** Read, change, write back; again when the version has moved on in between. */
export function changed(get: Call<'get'>, patch: Call<'patch'>): Change {
  const read = get as unknown as AnyCall
  const write = patch as unknown as AnyCall
  return async (path, place, change) => {
    for (let attempt = 1; ; attempt++) {
      const answer = await read(path, place)
      const body = change(answer.data as Parameters<typeof change>[0])
      if (body === undefined) return answer as never
      try {
        return (await write(path, { ...place, body, ifMatch: answer.etag })) as never
      } catch (error) {
        const isStale = error instanceof ProblemError && error.code === 'version-mismatch'
        if (!isStale || attempt >= MAX_ATTEMPTS) throw error
      }
    }
  }
}
