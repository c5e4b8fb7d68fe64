/**
 * What the promise gives, or undefined when it takes longer. Rejects as the promise does within that time; a later
 * rejection is nobody's any more.
 */
export async function settlesWithin<Value>(milliseconds: number, promise: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
