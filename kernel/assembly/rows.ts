/** Squared norm of one f32 row, accumulated in f64: even and odd dimensions apart, then added. */
export function squaredNorm(row: usize, dims: u32): f64 {
  let even: f64 = 0
  let odd: f64 = 0
  for (let d: u32 = 0; d < dims; d++) {
    const x = <f64>load<f32>(row + ((<usize>d) << 2))
    if (d & 1) odd += x * x
    else even += x * x
  }
  return even + odd
}

export function prepareRows(rows: usize, count: u32, dims: u32, normalise: i32, squaredNorms: usize): void {
  for (let r: u32 = 0; r < count; r++) {
    const row = rows + ((<usize>r * dims) << 2)
    const squared = squaredNorm(row, dims)
    store<f64>(squaredNorms + ((<usize>r) << 3), squared)
    if (!normalise || !(squared > 0) || squared === Infinity) continue
    const inverse = 1 / Math.sqrt(squared)
    for (let d: u32 = 0; d < dims; d++) {
      const at = row + ((<usize>d) << 2)
      store<f32>(at, <f32>(<f64>load<f32>(at) * inverse))
    }
  }
}
