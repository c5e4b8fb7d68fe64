// Sums across the lanes of vectors. The order of additions must not change: f32 results depend on it.

/** [sum of a, sum of b, sum of c, sum of d], each as (l0 + l2) + (l1 + l3). */
@inline
export function sumEach<T>(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = v128.add<T>(v128.shuffle<T>(a, b, 0, 1, 4, 5), v128.shuffle<T>(a, b, 2, 3, 6, 7))
  const cd = v128.add<T>(v128.shuffle<T>(c, d, 0, 1, 4, 5), v128.shuffle<T>(c, d, 2, 3, 6, 7))
  return v128.add<T>(v128.shuffle<T>(ab, cd, 0, 2, 4, 6), v128.shuffle<T>(ab, cd, 1, 3, 5, 7))
}

/** (l0 + l2) + (l1 + l3). */
@inline
export function sumLanes<T>(a: v128): T {
  const folded = v128.add<T>(a, v128.shuffle<T>(a, a, 2, 3, 0, 1))
  return <T>(v128.extract_lane<T>(folded, 0) + v128.extract_lane<T>(folded, 1))
}
