// The sums behind the means of clusters, in f64. Sums of i16 components are exact. f32 components are added row by row,
// and the squares of a row one after the other.
import { normI16 } from '../distance/norms'

@inline
function addLow(sums: usize, addend: v128): void {
  v128.store(sums, v128.add<f64>(v128.load(sums), addend))
}

@inline
function swapHalves(x: v128): v128 {
  return v128.shuffle<i64>(x, x, 1, 0)
}

export function clusterSumsI16(
  rows: usize, count: u32, gridDims: u32, clusters: usize, sums: usize, squares: usize, counts: usize,
): void {
  const rowBytes = (<usize>gridDims) << 1
  for (let r: u32 = 0; r < count; r++) {
    const cluster = <usize>load<u32>(clusters + ((<usize>r) << 2))
    const square = squares + (cluster << 3)
    store<f64>(square, load<f64>(square) + <f64>normI16(rows, gridDims))
    store<u32>(counts + (cluster << 2), load<u32>(counts + (cluster << 2)) + 1)
    let sum = sums + ((cluster * gridDims) << 3)
    for (let at: usize = 0; at < rowBytes; at += 8) {
      const four = v128.load_ext<i16>(rows + at)
      addLow(sum, f64x2.convert_low_i32x4_s(four))
      addLow(sum + 16, f64x2.convert_low_i32x4_s(swapHalves(four)))
      sum += 32
    }
    rows += rowBytes
  }
}

export function clusterSumsF32(
  rows: usize, count: u32, gridDims: u32, clusters: usize, sums: usize, squares: usize, counts: usize,
): void {
  const rowBytes = (<usize>gridDims) << 2
  for (let r: u32 = 0; r < count; r++) {
    const cluster = <usize>load<u32>(clusters + ((<usize>r) << 2))
    store<u32>(counts + (cluster << 2), load<u32>(counts + (cluster << 2)) + 1)
    const squareAt = squares + (cluster << 3)
    let square = load<f64>(squareAt)
    let sum = sums + ((cluster * gridDims) << 3)
    for (let at: usize = 0; at < rowBytes; at += 4) {
      const component = <f64>load<f32>(rows + at)
      square += component * component
      store<f64>(sum, load<f64>(sum) + component)
      sum += 8
    }
    store<f64>(squareAt, square)
    rows += rowBytes
  }
}
