/** How batches are worked on. */
export interface SideBySide<Batch, Result> {
  readonly work: (batch: Batch) => Promise<Result>
  /** So many at once; asked before each one. */
  readonly atMost: () => number
  /** No further batch is begun. */
  readonly isOver: () => boolean
}

/**
 * The results of batches in their order, each as soon as it is there, while the next batches are read and worked on. Reads one batch
 * ahead and takes the next one when a result was taken. Ends when all that was begun is through, also when nobody listens any more.
 *
 * @throws what `work` throws, or what reading the batches throws, behind the results of all that was begun before
 */
export async function* sideBySide<Batch, Result>(
  batches: AsyncGenerator<Batch, void, undefined>,
  { work, atMost, isOver }: SideBySide<Batch, Result>,
): AsyncGenerator<Result, void, undefined> {
  const begun: Promise<Result>[] = []
  let next = heeded(batches.next())
  try {
    for (;;) {
      const [oldest] = begun
      if (oldest !== undefined && (begun.length >= atMost() || (await isSooner(oldest, next)))) {
        yield await oldest
        begun.shift()
        continue
      }
      if (isOver()) break
      const batch = await next
      if (batch.done || isOver()) break
      begun.push(heeded(work(batch.value)))
      next = heeded(batches.next())
    }
    for (const result of begun) yield await result
  } finally {
    void batches.return(undefined).catch(() => undefined)
    await Promise.allSettled(begun)
  }
}

/** A promise whose failure is looked at later. */
function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/** Is the result there before the next batch, or is there no next batch to come? */
function isSooner(result: Promise<unknown>, next: Promise<unknown>): Promise<boolean> {
  const there = () => true
  return Promise.race([
    result.then(there, there),
    next.then(
      () => false,
      async () => {
        await result.catch(() => undefined)
        return true
      },
    ),
  ])
}
