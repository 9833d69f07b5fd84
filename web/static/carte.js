// SPDX-License-Identifier: AGPL-3.0-or-later
// The map of a search, over the drawing that the server made: the same marks, for
// any part of the map. What is moved to is in the address, and in the list below.

const L = window.L
const figure = document.getElementById('carte')
const said = figure.dataset
const quiet = matchMedia('(prefers-reduced-motion: reduce)').matches
const words = (text, n) => text.replace('{n}', n.toLocaleString(document.documentElement.lang))

const plural = new Intl.PluralRules(document.documentElement.lang)
const counted = n => words(plural.select(n) === 'one' ? said.place : said.places, n)

const numbers = text => text.split(',').map(Number)
const bounds = ([west, south, east, north]) => L.latLngBounds([south, west], [north, east < west ? east + 360 : east])
const colour = name => getComputedStyle(figure).getPropertyValue(name).trim()

// Outlines are paths in the plane of the map: each tile draws its part.
const Outlines = L.GridLayer.extend({
  initialize (paths, options) {
    this.paths = paths
    L.setOptions(this, options)
  },
  createTile ({ x, y, z }) {
    const tile = document.createElement('canvas')
    const ratio = window.devicePixelRatio || 1
    tile.width = tile.height = 256 * ratio
    const pen = tile.getContext('2d')
    for (const { path, world, filled, width } of this.paths) {
      const scale = 256 * ratio * 2 ** z / world
      pen.setTransform(scale, 0, 0, scale, -x * 256 * ratio, -y * 256 * ratio)
      pen.fillStyle = colour('--raised')
      if (filled) pen.fill(path)
      pen.strokeStyle = colour('--edge')
      pen.lineWidth = width * ratio / scale
      pen.stroke(path)
    }
    return tile
  }
})

const read = async address => {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`)
  return answer
}

const escaped = text => Object.assign(document.createElement('p'), { textContent: text ?? '' }).innerHTML

// ground is what the map lies on: pictures where the node is set up so, else outlines.
async function ground () {
  const attribution = escaped(said.made)
  if (said.archive) return window.pmtiles.leafletRasterLayer(new window.pmtiles.PMTiles(said.archive), { attribution, maxZoom: 19 })
  if (said.tiles) return L.tileLayer(said.tiles, { attribution, maxZoom: 19, referrerPolicy: 'strict-origin-when-cross-origin' })
  return outlines()
}

// drawn reads the paths of a drawing of the whole world.
async function drawn (address) {
  const drawing = new DOMParser().parseFromString(await (await read(address)).text(), 'image/svg+xml')
  return [...drawing.querySelectorAll('path')].map(p => ({
    path: new Path2D(p.getAttribute('d')),
    world: Number(drawing.documentElement.getAttribute('viewBox').split(' ')[2]),
    filled: p.id === 'land',
    width: p.id === 'borders' ? 1.4 : 1
  }))
}

async function outlines () {
  const files = [said.outlines, said.areas].filter(Boolean)
  const layer = new Outlines((await Promise.all(files.map(drawn))).flat(), { attribution: escaped(said.credit) })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => layer.redraw())
  return layer
}

function start () {
  const place = document.createElement('div')
  place.className = 'mapbox'
  place.setAttribute('role', 'region')
  place.setAttribute('aria-label', said.label)
  figure.querySelector('svg').replaceWith(place)
  const map = L.map(place, {
    zoomControl: false, maxZoom: 19, minZoom: 2, worldCopyJump: true, zoomAnimation: !quiet, fadeAnimation: !quiet, markerZoomAnimation: !quiet
  })
  map.attributionControl.setPrefix(false)
  L.control.zoom({ zoomInTitle: said.closer, zoomOutTitle: said.farther }).addTo(map)
  ground().then(layer => layer.addTo(map)).catch(() => {})
  return map
}

const map = start()
const names = L.layerGroup().addTo(map)
const marks = L.layerGroup().addTo(map)

// label writes the name of a commune, beside the mark that covers its place.
function label ({ name, at: [lon, lat], down }) {
  const text = Object.assign(document.createElement('span'), { textContent: name })
  text.style.top = `${down}px`
  const icon = L.divIcon({ className: 'name', html: text, iconSize: [0, 0] })
  return L.marker([lat, lon], { icon, interactive: false, keyboard: false, zIndexOffset: -10000 })
}

// A link in a bubble: titles are text, never markup.
function bubble (path, text, under) {
  const content = document.createElement('p')
  const link = document.createElement('a')
  link.href = path
  link.textContent = text
  if (said.blank && under) Object.assign(link, { target: '_blank', rel: 'noopener' })
  content.append(link)
  if (under) content.append(document.createElement('br'), under)
  return content
}

const box = b => [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]
const turned = lon => ((lon + 180) % 360 + 360) % 360 - 180

// view is what the map shows, as the server reads it.
function view () {
  const b = map.getBounds()
  const whole = b.getEast() - b.getWest() >= 360
  const [west, east] = whole ? [-180, 180] : [turned(b.getWest()), turned(b.getEast())]
  return [west, Math.max(-90, b.getSouth()), east, Math.min(90, b.getNorth())].map(n => +n.toFixed(4)).join(',')
}

function withBox (address, bbox) {
  const url = new URL(address, location.href)
  url.searchParams.set('bbox', bbox)
  return url
}

function mark ({ geometry, properties: p, bbox }) {
  const [lon, lat] = geometry.coordinates
  const middle = map.getCenter().lng
  const at = [lat, lon + 360 * Math.round((middle - lon) / 360)] // the copy of the world that is shown
  const one = p.count === 1
  const icon = L.divIcon({ className: one ? `spot one k-${p.kind}` : 'spot', html: one ? '' : p.count.toLocaleString(document.documentElement.lang), iconSize: [2 * p.radius, 2 * p.radius] })
  const label = one ? p.title : counted(p.count)
  const marker = L.marker(at, { icon, alt: label })
  marker.key = `${at}|${p.count}|${p.id || ''}`
  marker.on('add', () => marker.getElement().setAttribute('aria-label', label))
  if (one) return marker.bindPopup(() => bubble(p.path, p.title, p.state ? `${p.territory} · ${said[p.state]}` : p.territory))
  const around = bounds(bbox)
  const open = () => {
    const zoom = map.getBoundsZoom(around)
    if (zoom > map.getZoom() && map.getZoom() < 17) return map.flyToBounds(around, { animate: !quiet, duration: 0.4 })
    L.popup().setLatLng(at).setContent(bubble(withBox(location.href, bbox.join(',')), words(said.see, p.count))).on('remove', () => marker.getElement()?.focus({ preventScroll: true })).openOn(map)
  }
  return marker.on('click', open).on('keypress', e => e.originalEvent.key === 'Enter' && open())
}

// Who opens a bubble with the keyboard is led into it, and back.
map.on('popupopen', ({ popup }) => {
  popup.getElement().querySelector('.leaflet-popup-close-button')?.setAttribute('aria-label', said.close)
  popup.getElement().querySelector('.leaflet-popup-content a')?.focus({ preventScroll: true })
})
map.on('popupclose', ({ popup }) => popup._source?.getElement?.()?.focus({ preventScroll: true }))

let asking
async function refresh (moved) {
  asking?.abort()
  asking = new AbortController()
  const { signal } = asking
  const bbox = view()
  const cells = withBox(said.cells, bbox)
  cells.searchParams.set('zoom', map.getZoom())
  const page = withBox(location.href, bbox)
  page.searchParams.delete('page')
  try {
    const found = await (await fetch(cells, { signal })).json()
    show(found)
    if (!moved) return
    history.replaceState(null, '', page)
    const text = await (await fetch(page, { signal })).text()
    twin(new DOMParser().parseFromString(text, 'text/html'), bbox)
  } catch (error) {
    if (error.name !== 'AbortError') figure.querySelector('.sum').textContent = said.away
  }
}

// show keeps the marks that stay, so that one that has the focus does not lose it.
function show (found) {
  const held = map.getContainer().contains(document.activeElement)
  const wanted = new Map(found.features.map(f => mark(f)).map(m => [m.key, m]))
  marks.eachLayer(old => {
    if (wanted.has(old.key)) wanted.delete(old.key)
    else if (!old.isPopupOpen?.()) marks.removeLayer(old)
  })
  for (const m of wanted.values()) marks.addLayer(m)
  // Whose mark parted into others goes on from the map, not from the top of the page.
  if (held && !map.getContainer().contains(document.activeElement)) map.getContainer().focus({ preventScroll: true })
  names.clearLayers()
  for (const n of found.names ?? []) names.addLayer(label(n))
  figure.querySelector('.sum').textContent = counted(found.total)
  figure.querySelector('.part').hidden = !found.partial
}

// twin writes the list of what the map shows, as the server made it.
function twin (page, bbox) {
  for (const part of document.querySelectorAll('[data-twin]')) {
    const other = page.querySelector(`[data-twin="${part.dataset.twin}"]`)
    if (other) part.replaceChildren(...other.childNodes)
  }
  for (const form of document.querySelectorAll('form.panel')) {
    const kept = form.elements.bbox ?? form.appendChild(Object.assign(document.createElement('input'), { type: 'hidden', name: 'bbox' }))
    kept.value = bbox
  }
}

// A part of the map that was chosen is shown as it was, what was found with some room around.
const chosen = new URL(location).searchParams.has('bbox')
map.fitBounds(bounds(numbers(said.bbox)).pad(chosen ? -0.02 : 0), { animate: false, padding: chosen ? [0, 0] : [24, 24], maxZoom: 16 })
await refresh(false)
let wait
// A screen that is turned asks for more of the map, not for another search.
let resized = false
map.on('resize', () => { resized = true })
map.on('moveend', () => {
  clearTimeout(wait)
  const moved = !resized
  resized = false
  wait = setTimeout(() => refresh(moved), 250)
})
