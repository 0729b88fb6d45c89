import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Output } from '../../../src/lake/parquet/output.ts'
import { PageBlocks } from '../../../src/lake/parquet/page-blocks.ts'

describe('blocks for compressed pages', () => {
  test('every page keeps its bytes until the blocks are cleared, whatever its size', () => {
    const blocks = new PageBlocks()
    for (let round = 0; round < 3; round++) {
      const sizes = [0, 1, 65_536, 3, 400_000, 700_000, 1 << 20, 5, 3 << 20, 60_000]
      const pages = sizes.map((size) => randomBytes(size))
      const kept = pages.map((bytes) => blocks.keep(Buffer.from(bytes)))
      for (const [i, bytes] of pages.entries()) expect(kept[i]?.equals(bytes)).toBe(true)
      blocks.clear()
    }
  })

  test('memory is used again after a clear', () => {
    const blocks = new PageBlocks()
    const first = blocks.keep(randomBytes(50_000))
    blocks.clear()
    const second = blocks.keep(randomBytes(50_000))
    expect(second.buffer).toBe(first.buffer)
  })
})

test('the output says that memory is free only when the sink has all that was written before', async () => {
  const taken: number[] = []
  let busy = true
  let wake = () => {}
  const output = new Output({
    write: (bytes) => {
      taken.push(bytes.length)
      busy = taken.length === 1
    },
    get busy() {
      return busy
    },
    drained: () => new Promise<void>((resolve) => (wake = resolve)),
  })
  let free = 0
  output.write(Buffer.alloc(10))
  output.write(Buffer.alloc(20))
  output.whenHandedOver(() => free++)
  output.write(Buffer.alloc(30))
  output.pump()
  expect({ taken, free }).toEqual({ taken: [], free: 0 })
  busy = false
  output.pump()
  expect({ taken, free }).toEqual({ taken: [10], free: 0 })
  const finished = output.finish()
  busy = false
  wake()
  await finished
  expect({ taken, free }).toEqual({ taken: [10, 20, 30], free: 1 })
})
