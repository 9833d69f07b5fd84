// SPDX-License-Identifier: AGPL-3.0-or-later

// Measures a page as it is drawn, and says what a reader would stumble over.
(opened => {
  const found = [];
  const say = (judge, what) => found.push({judge, what});
  const least = 44, root = document.documentElement, width = root.clientWidth;
  if (opened) for (const d of document.querySelectorAll('details')) d.open = true;

  const label = e => {
    const t = (e.getAttribute('aria-label') || e.textContent || e.value || e.name || '').trim().replace(/\s+/g, ' ').slice(0, 40);
    return e.tagName.toLowerCase() + (e.className && typeof e.className === 'string' ? '.' + e.className.trim().split(/\s+/).join('.') : '') + ' “' + t + '”';
  };
  const seen = e => {
    if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true})) return false;
    for (let a = e; a && a !== root; a = a.parentElement) {
      const s = getComputedStyle(a); // kept for those who listen
      if (s.position === 'absolute' && s.clipPath === 'inset(50%)') return false;
    }
    return true;
  };
  const box = r => ({left: r.left, right: r.right, top: r.top, bottom: r.bottom});
  const cut = (a, b) => ({left: Math.max(a.left, b.left), right: Math.min(a.right, b.right), top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom)});
  const empty = r => r.right - r.left < 1 || r.bottom - r.top < 1;
  const meet = (a, b) => { const r = cut(a, b); return r.right - r.left > 2 && r.bottom - r.top > 2; };
  // What is left of a rectangle after its ancestors cut it, and whether one that
  // cannot be scrolled did.
  const clip = (r, e) => {
    let left = box(r), lost = false, scrolled = false;
    for (let a = e; a && a !== root; a = a.parentElement) {
      const s = getComputedStyle(a);
      if (s.overflowX === 'visible' && s.overflowY === 'visible') continue;
      if (s.display === 'inline') continue;
      const next = cut(left, a.getBoundingClientRect());
      const less = next.right - next.left < left.right - left.left - 2 || next.bottom - next.top < (left.bottom - left.top) * .7;
      const rolls = /auto|scroll/.test(s.overflowX + s.overflowY);
      if (less && !rolls && !scrolled) lost = true;
      if (rolls) scrolled = true;
      left = next;
    }
    return {left, lost, scrolled};
  };

  // Nothing is wider than the screen.
  if (root.scrollWidth > width) {
    const wide = [...document.body.querySelectorAll('*')].filter(e => seen(e) && clip(e.getBoundingClientRect(), e).left.right > width + 1);
    say('sideways', root.scrollWidth + ' pixels on ' + width + (wide.length ? ', for ' + label(wide.at(-1)) : ''));
  }

  // Whatever is pressed is large enough (WCAG 2.2, 2.5.5), unless it stands in a sentence.
  const targets = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary,[role=button]')].filter(seen).map(e => {
    let r = box(e.getBoundingClientRect()), own = r;
    for (const l of e.labels || []) {
      if (/checkbox|radio/.test(e.type) && seen(l)) {
        const b = l.getBoundingClientRect();
        r = {left: Math.min(r.left, b.left), right: Math.max(r.right, b.right), top: Math.min(r.top, b.top), bottom: Math.max(r.bottom, b.bottom)};
        own = r;
      }
    }
    const after = getComputedStyle(e, '::after');
    if (after.content !== 'none' && after.position === 'absolute' && after.top === '0px' && after.left === '0px') {
      let a = e;
      while (a.parentElement && getComputedStyle(a).position === 'static') a = a.parentElement;
      r = box(a.getBoundingClientRect());
    }
    // A link that goes on over lines is where its words are.
    const parts = (getComputedStyle(e).display === 'inline' ? [...e.getClientRects()].map(box) : [own]).map(p => clip(p, e).left).filter(p => !empty(p));
    return {e, r, own, parts};
  }).filter(t => !t.e.closest('.leaflet-marker-pane,figure svg')) // a map's places are where they are (WCAG 2.2, 2.5.5: essential); its list says them too
    .filter(t => t.own.bottom > 0 && t.own.right > 0 && !empty(t.own));
  const inSentence = e => {
    if (getComputedStyle(e).display !== 'inline') return false;
    let block = e.parentElement;
    while (getComputedStyle(block).display === 'inline') block = block.parentElement;
    const walk = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    for (let t = walk.nextNode(); t; t = walk.nextNode()) {
      if (/[\p{L}\p{N}]/u.test(t.data) && !t.parentElement.closest('a[href],button,summary') && seen(t.parentElement)) return true;
    }
    return false;
  };
  for (const {e, r} of targets) {
    const w = r.right - r.left, h = r.bottom - r.top;
    if ((w < least - .5 || h < least - .5) && !e.disabled && !inSentence(e)) say('targets', label(e) + ' is ' + Math.round(w) + ' × ' + Math.round(h));
  }
  for (let i = 0; i < targets.length; i++) {
    for (let j = i + 1; j < targets.length; j++) {
      const a = targets[i], b = targets[j];
      if (a.e.contains(b.e) || b.e.contains(a.e) || inSentence(a.e) && inSentence(b.e)) continue;
      if (a.parts.some(ra => b.parts.some(rb => meet(ra, rb)))) say('overlap', label(a.e) + ' and ' + label(b.e));
    }
  }

  // Text is whole, within its box, and not below other text.
  const lines = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let t = walk.nextNode(); t; t = walk.nextNode()) {
    const e = t.parentElement;
    if (!t.data.trim() || /^(SCRIPT|STYLE|OPTION|TEXTAREA|TITLE)$/.test(e.tagName) || !seen(e)) continue;
    if (e.closest('.leaflet-map-pane,figure svg')) continue; // a map ends somewhere
    let block = e;
    while (block.parentElement && getComputedStyle(block).display === 'inline') block = block.parentElement;
    const around = block.getBoundingClientRect(), range = document.createRange();
    range.selectNodeContents(t);
    let bad = false;
    for (const rect of range.getClientRects()) {
      const r = box(rect), c = clip(r, e);
      if (r.bottom < 0 || r.right < 0) continue; // a skip link
      if (c.lost) bad = 'is cut: ';
      else if (!c.scrolled && (r.right > width + 1 || r.right > around.right + 2 || r.left < around.left - 2)) bad = 'leaves its box: ';
      const quarter = (r.bottom - r.top) / 4;
      const core = clip({left: r.left, right: r.right, top: r.top + quarter, bottom: r.bottom - quarter}, e).left;
      if (!empty(core)) lines.push({e, r: core});
    }
    if (bad) say('clipped', 'text ' + bad + label(e));
  }
  lines.sort((a, b) => a.r.top - b.r.top);
  for (let i = 0; i < lines.length; i++) {
    for (let j = i + 1; j < lines.length && lines[j].r.top < lines[i].r.bottom; j++) {
      if (meet(lines[i].r, lines[j].r)) say('overlap', 'text of ' + label(lines[i].e) + ' and ' + label(lines[j].e));
    }
  }
  return found;
})
