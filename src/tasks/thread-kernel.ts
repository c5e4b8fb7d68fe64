import { Kernel } from '../../kernel/kernel.js'

let kernel: Kernel | undefined

/** Time this thread has spent in the distance tile; begins anew with a new kernel. */
export function tileMilliseconds(): number {
  return kernel?.tileMs ?? 0
}

/**
 * Runs `body` with this thread's kernel and gives back what it allocated. One private WebAssembly memory a thread,
 * reused by every task, because such a memory can grow but never shrink. A kernel whose body threw is dropped: a
 * trap may have left its memory in any state.
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
