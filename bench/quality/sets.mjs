// Data on which graphs of nearest neighbours fail: each set is a function of a seed, 10,000 to 20,000 rows and 300
// queries that are not among them.
import { randomStream } from '../random.mjs'

const QUERIES = 300

/**
 * name: { metric, dims, rows(), about }. rows() gives { base, queries }, row-major Float32Arrays.
 */
export const SETS = Object.fromEntries(
  [
    clusters({ clusters: 300, size: 50, dims: 32, metric: 'cosine' }),
    clusters({ clusters: 300, size: 50, dims: 32 }),
    clusters({ clusters: 50, size: 400, dims: 64 }),
    clusters({ clusters: 2000, size: 10, dims: 32 }),
    clusters({ clusters: 1000, size: 20, dims: 16, metric: 'cosine' }),
    clusters({ clusters: 400, size: 50, dims: 400, metric: 'cosine' }),
    clusters({ clusters: 400, size: 50, dims: 64, sorted: true }),
    clusters({ clusters: 300, size: 50, dims: 32, spread: 2, deviation: 0.3 }),
    clusters({ clusters: 300, size: 50, dims: 32, spread: 1000, deviation: 0.3 }),
    densities(),
    manifold({ name: 'closed curve', inner: 1, dims: 16, count: 3000 }),
    manifold({ name: 'curve', inner: 1, dims: 64, count: 20_000 }),
    manifold({ name: 'surface', inner: 2, dims: 32, count: 20_000 }),
    manifold({ name: 'solid', inner: 3, dims: 96, count: 20_000 }),
    grid(),
    binary({ name: 'binary', dims: 64, share: 0.5, metric: 'l2' }),
    binary({ name: 'binary ip', dims: 64, share: 0.5, metric: 'ip' }),
    sparse(),
    copies({ name: 'near copies 1e-6', noise: 1e-6 }),
    copies({ name: 'near copies 1e-2', noise: 1e-2 }),
    masses(),
    massInTheMiddle(),
    hubs(),
    outliers(),
    student({ name: 'heavy tails', metric: 'l2' }),
    otherQueries(),
    uniform({ name: 'uniform', metric: 'l2', dims: 32 }),
    gaussian(),
    student({ name: 'student ip', metric: 'ip' }),
    lengths({ name: 'log-normal ip', length: ({ normal }) => Math.exp(normal()) }),
    lengths({ name: 'zipf ip', length: ({ uniform }) => 1 / (1 + Math.floor(uniform() * 1000)) }),
    lengths({ name: 'a few long ip', length: (_, row) => (row % 1000 === 0 ? 1e6 : 1) }),
    uniform({ name: 'uniform ip', metric: 'ip', dims: 128 }),
    clusters({ clusters: 300, size: 50, dims: 32, metric: 'ip' }),
    ...[1, 2, 3, 10, 100].map(few),
  ].map((set) => [set.name, set]),
)

/** fill(row index, into, stream) writes one row. */
function make(name, metric, dims, count, fill, fillQuery = fill) {
  return {
    name,
    metric,
    dims,
    count,
    rows(seed = 1) {
      const draw = (purpose, rows, write) => {
        const stream = randomStream(seed, `${name} ${purpose}`)
        const out = new Float32Array(rows * dims)
        for (let row = 0; row < rows; row++) write(row, out.subarray(row * dims, (row + 1) * dims), stream)
        return out
      }
      const base = draw('base', count, fill)
      return { base, queries: draw('queries', QUERIES, (row, into, stream) => fillQuery(row, into, stream, base)) }
    },
  }
}

function clusters({ clusters, size, dims, metric = 'l2', spread = 10, deviation = 0.3, sorted = false }) {
  const order = sorted ? ', sorted' : ''
  const near = spread === 10 ? '' : `, centres ${spread} apart`
  const name = `${clusters} clusters of ${size}, ${dims} d, ${metric}${near}${order}`
  const centres = normals(randomStream(7, name), clusters * dims, spread)
  const count = clusters * size
  const at = (cluster, into, stream) => {
    for (let d = 0; d < dims; d++) into[d] = centres[cluster * dims + d] + deviation * stream.normal()
  }
  return make(
    name,
    metric,
    dims,
    count,
    (row, into, stream) => at(sorted ? Math.floor(row / size) : row % clusters, into, stream),
    (row, into, stream) => at(Math.floor(stream.uniform() * clusters), into, stream),
  )
}

function densities() {
  const dims = 32
  const centres = normals(randomStream(7, 'densities'), 100 * dims, 5)
  const fill = (row, into, stream) => {
    const cluster = Math.floor(100 * stream.uniform() ** 3)
    const deviation = 10 ** (-3 + (4 * cluster) / 100)
    for (let d = 0; d < dims; d++) into[d] = centres[cluster * dims + d] + deviation * stream.normal()
  }
  return make('clusters of very different density', 'l2', dims, 15_000, fill)
}

/** Sums of waves in `inner` angles: closed in each. */
function manifold({ name, inner, dims, count }) {
  const map = randomStream(7, name)
  const waves = Array.from({ length: dims }, () => ({
    frequencies: Array.from({ length: inner }, () => Math.round(map.normal() * 3)),
    phase: map.uniform() * 2 * Math.PI,
  }))
  const fill = (_, into, stream) => {
    const angles = Array.from({ length: inner }, () => stream.uniform() * 2 * Math.PI)
    waves.forEach(({ frequencies, phase }, d) => {
      into[d] = Math.cos(frequencies.reduce((sum, frequency, i) => sum + frequency * angles[i], phase))
    })
  }
  return make(name, 'l2', dims, count, fill)
}

function grid() {
  const fill = (row, into) => {
    for (let d = 0; d < 4; d++) into[d] = Math.floor(row / 11 ** d) % 11
  }
  const query = (_, into, stream) => {
    for (let d = 0; d < 4; d++) into[d] = Math.floor(stream.uniform() * 11)
  }
  return make('grid with ties', 'l2', 4, 11 ** 4, fill, query)
}

function binary({ name, dims, share, metric }) {
  return make(name, metric, dims, 20_000, (_, into, stream) => {
    for (let d = 0; d < dims; d++) into[d] = stream.uniform() < share ? 1 : 0
  })
}

function sparse() {
  return make('sparse, not negative', 'cosine', 256, 15_000, (_, into, stream) => {
    for (let i = 0; i < 12; i++) into[Math.floor(256 * stream.uniform() ** 2)] += -Math.log(1 - stream.uniform())
  })
}

function copies({ name, noise }) {
  const dims = 48
  const centres = normals(randomStream(7, name), 500 * dims, 1)
  return make(name, 'l2', dims, 15_000, (row, into, stream) => {
    for (let d = 0; d < dims; d++) into[d] = centres[(row % 500) * dims + d] + noise * stream.normal()
  })
}

/** 2,000 copies of one vector and 200 of another among others; half of the queries are beside them. */
function masses() {
  const dims = 32
  const spots = normals(randomStream(7, 'masses'), 2 * dims, 1)
  const fill = (row, into, stream) => {
    const spot = row % 10 === 0 ? 0 : row % 100 === 1 ? 1 : -1
    for (let d = 0; d < dims; d++) into[d] = spot < 0 ? stream.normal() : spots[spot * dims + d]
  }
  const query = (row, into, stream) => {
    for (let d = 0; d < dims; d++) into[d] = stream.normal() * (row % 2 ? 1 : 0.3) + (row % 2 ? 0 : spots[d])
  }
  return make('masses of exact copies', 'l2', dims, 20_000, fill, query)
}

/** 2,000 copies of the centre, which is nearer to every vector than nearly all others: a beam that they fill is stuck. */
function massInTheMiddle() {
  return make('a mass in the middle', 'l2', 32, 20_000, (row, into, stream) => {
    for (let d = 0; d < 32; d++) into[d] = row % 10 === 0 ? 0 : stream.normal()
  })
}

function hubs() {
  const dims = 128
  return make('hubs', 'l2', dims, 20_000, (row, into, stream) => {
    let squared = 0
    for (let d = 0; d < dims; d++) squared += (into[d] = stream.normal()) ** 2
    const length = (row % 400 === 0 ? 0.01 : 1) / Math.sqrt(squared)
    for (let d = 0; d < dims; d++) into[d] *= length
  })
}

function outliers() {
  return make('outliers', 'l2', 32, 15_000, (row, into, stream) => {
    const scale = row % 100 === 0 ? 1000 : 1
    for (let d = 0; d < 32; d++) into[d] = scale * stream.normal()
  })
}

/** Student's t with 3 degrees of freedom, each component on its own. */
function student({ name, metric }) {
  return make(name, metric, 32, 20_000, (_, into, { normal }) => {
    for (let d = 0; d < 32; d++) into[d] = normal() / Math.sqrt((normal() ** 2 + normal() ** 2 + normal() ** 2) / 3)
  })
}

function otherQueries() {
  const dims = 64
  const query = (_, into, stream) => {
    for (let d = 0; d < dims; d++) into[d] = d % 2 ? 3 + stream.normal() : 0.2 * stream.normal()
  }
  return make('queries of another distribution', 'cosine', dims, 15_000, normalRow, query)
}

function gaussian() {
  return make('gaussian', 'cosine', 48, 20_000, normalRow)
}

function uniform({ name, metric, dims }) {
  return make(name, metric, dims, 20_000, (_, into, stream) => {
    for (let d = 0; d < dims; d++) into[d] = stream.uniform()
  })
}

function lengths({ name, length }) {
  const dims = 48
  const fill = (row, into, stream) => {
    const scale = length(stream, row)
    for (let d = 0; d < dims; d++) into[d] = scale * stream.normal()
  }
  return make(name, 'ip', dims, 20_000, fill, normalRow)
}

function few(count) {
  return make(`${count} vectors`, 'l2', 16, count, normalRow)
}

function normalRow(_, into, stream) {
  for (let d = 0; d < into.length; d++) into[d] = stream.normal()
}

function normals(stream, count, deviation) {
  return Float64Array.from({ length: count }, () => deviation * stream.normal())
}
