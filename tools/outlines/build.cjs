// SPDX-License-Identifier: AGPL-3.0-or-later
// Writes the outlines of land and borders to standard output, as an SVG in the
// plane of web maps (Mercator), where the world is 262,144 wide. They come from
// Natural Earth at 1:10 million (public domain), through world-atlas (ISC): in
// detail where communes of France are, less in the rest of Europe, coarse elsewhere.
'use strict'
const world = 262144
const land = require('world-atlas/land-10m.json')
const countries = require('world-atlas/countries-10m.json')

// West, south, east, north of what is kept in detail.
const detailed = [[-5.5, 41.2, 9.8, 51.3], [-63.5, 13.5, -60.5, 18.7], [-55, 1.5, -51, 6.5], [43, -23, 57, -11], [-58, 46, -55, 48], [162, -24, 170, -17]]
const around = [-11, 35, 20, 60]
const fine = 3, middling = 25, coarse = 150

const points = topology => {
  const { scale: [sx, sy], translate: [tx, ty] } = topology.transform
  return topology.arcs.map(arc => {
    let x = 0, y = 0
    return arc.map(([dx, dy]) => {
      x += dx
      y += dy
      const lon = x * sx + tx
      const lat = Math.max(-85.0511, Math.min(85.0511, y * sy + ty))
      const within = ([w, s, e, n]) => lon >= w && lon <= e && lat >= s && lat <= n
      const tolerance = detailed.some(within) ? fine : within(around) ? middling : coarse
      const px = (lon + 180) / 360 * world
      const py = (1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * world
      return [px, py, tolerance]
    })
  })
}

// Douglas and Peucker's way, with the tolerance of each point.
const simplify = line => {
  const keep = new Set([0, line.length - 1])
  const stack = [[0, line.length - 1]]
  while (stack.length) {
    const [a, b] = stack.pop()
    const [x0, y0] = line[a], dx = line[b][0] - x0, dy = line[b][1] - y0
    const length = dx * dx + dy * dy
    let worst = 1, at = -1
    for (let i = a + 1; i < b; i++) {
      const [x, y, tolerance] = line[i]
      const t = length ? Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / length)) : 0
      const off = Math.hypot(x - x0 - t * dx, y - y0 - t * dy) / tolerance
      if (off > worst) [worst, at] = [off, i]
    }
    if (at >= 0) {
      keep.add(at)
      stack.push([a, at], [at, b])
    }
  }
  return line.filter((_, i) => keep.has(i)).map(([x, y, t]) => [Math.round(x), Math.round(y), t])
}

const write = (line, closed) => {
  let [x, y] = line[0]
  let d = `M${x} ${y}l`, first = true
  for (const [nx, ny] of line.slice(1)) {
    if (nx === x && ny === y) continue
    const [dx, dy] = [nx - x, ny - y]
    d += `${first || dx < 0 ? '' : ' '}${dx}${dy < 0 ? '' : ' '}${dy}`
    ;[x, y, first] = [nx, ny, false]
  }
  return first ? '' : d + (closed ? 'z' : '')
}

const landArcs = points(land).map(simplify)
const ringOf = ids => ids.flatMap((id, i) => {
  const arc = id < 0 ? [...landArcs[~id]].reverse() : landArcs[id]
  return i ? arc.slice(1) : arc
})
const big = ring => {
  const xs = ring.map(p => p[0]), ys = ring.map(p => p[1])
  const tolerance = Math.min(...ring.map(p => p[2]))
  return Math.max(...xs) - Math.min(...xs) + Math.max(...ys) - Math.min(...ys) > 6 * tolerance
}
let ground = ''
for (const g of land.objects.land.geometries) {
  for (const polygon of g.type === 'Polygon' ? [g.arcs] : g.arcs) {
    for (const ids of polygon) {
      const ring = ringOf(ids)
      if (big(ring)) ground += write(ring.slice(0, -1), true)
    }
  }
}

// A border is an arc of two countries.
const uses = new Map()
const count = a => Array.isArray(a) ? a.forEach(count) : uses.set(a < 0 ? ~a : a, (uses.get(a < 0 ? ~a : a) || 0) + 1)
countries.objects.countries.geometries.forEach(g => g.arcs && count(g.arcs))
const borders = points(countries).filter((_, i) => uses.get(i) > 1).map(simplify).map(l => write(l, false)).join('')

const path = (id, d) => `<path id="${id}" d="${d}" vector-effect="non-scaling-stroke"/>\n`
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${world} ${world}">\n${path('land', ground)}${path('borders', borders)}</svg>\n`)
