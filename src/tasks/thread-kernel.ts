import { Kernel } from '../../kernel/kernel.js'

let kernel: Kernel | undefined

/** Time this thread has spent in the distance tile; starts again at 0 with a new kernel. */
export function tileMilliseconds(): number {
  return kernel?.tileMs ?? 0
}

/** The next task makes another kernel; the memory of this one is freed with it. */
export function dropKernel(): void {
  kernel = undefined
}

/**
 * Runs `body` with this thread's kernel and releases what it allocated. Each thread has one private WebAssembly memory,
 * which every task reuses, because such a memory can grow but never shrink. When `body` throws, the kernel is dropped:
 * a trap may leave its memory in any state.
 */
export async function withKernel<Result>(body: (kernel: Kernel) => Promise<Result> | Result): Promise<Result> {
  const held = (kernel ??= Kernel.create())
  const mark = held.mark()
  try {
    const result = await body(held)
    held.release(mark)
    return result
  } catch (error) {
    kernel = undefined
    throw error
  }
}
