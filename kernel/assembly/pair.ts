export function l2I16(a: usize, b: usize, codeDims: u32): i32 {
  let sum: i32 = 0
  for (let d: u32 = 0; d < codeDims; d++) {
    const x = <i32>load<i16>(a + ((<usize>d) << 1)) - <i32>load<i16>(b + ((<usize>d) << 1))
    sum += x * x
  }
  return sum
}

export function l2F32(a: usize, b: usize, dims: u32): f32 {
  let sum: f32 = 0
  for (let d: u32 = 0; d < dims; d++) {
    const x = load<f32>(a + ((<usize>d) << 2)) - load<f32>(b + ((<usize>d) << 2))
    sum += x * x
  }
  return sum
}

export function dotF32(a: usize, b: usize, dims: u32): f32 {
  let sum: f32 = 0
  for (let d: u32 = 0; d < dims; d++) sum += load<f32>(a + ((<usize>d) << 2)) * load<f32>(b + ((<usize>d) << 2))
  return sum
}
