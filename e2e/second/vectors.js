// SPDX-License-Identifier: AGPL-3.0-or-later

// The test vectors of docs/PROFILE.md: digest trees, signed documents, pages of
// copies, pages of a commons.

import { utf8ToBytes } from "@noble/hashes/utils";
import { contentDigest, copies, copyDigest, Disagreement, follow, hash, hold, ownersOf, paged, tree, verify } from "./profile.js";

export function vectors(trees, signed, kept, pages) {
  for (const v of trees) {
    const lines = Array.from({ length: v.items }, (_, i) => ({ id: `https://brest.example/objects/${i}`, digest: hash(utf8ToBytes(`copy ${i}`)) }));
    const nodes = tree(lines);
    hold("tree", nodes.get("") === v.root, `${v.name}: root ${nodes.get("")}, want ${v.root}`);
    const first = [...nodes].filter(([prefix]) => prefix.length === 1 && v.items > 64);
    hold("tree", first.length === Object.keys(v.nodes ?? {}).length, `${v.name}: ${first.length} nodes below the root`);
    for (const [prefix, node] of first) hold("tree", node === v.nodes[prefix], `${v.name}: node ${prefix} is ${node}`);
  }
  const actor = signed.documents.find((d) => d.name === "actor").document;
  const keys = follow(actor, signed.keys[0]);
  hold("keys", keys.join() === signed.keys.join(), `they lead to ${keys}`);
  const key = keys.at(-1);
  for (const { name, document, ...want } of signed.documents) {
    verify("document", document, key, ownersOf(document));
    hold("digest", contentDigest(document) === want.contentDigest && copyDigest(document) === want.copyDigest, `${name}: other digests`);
  }
  for (const { name, document } of signed.refused) hold("refused", !proven(document, key), `${name}: it is proven`);
  const origin = new URL(kept.origin);
  for (const { name, page, keys = [kept.key], digests, held, invalid, left = 0, ...want } of kept.cases) {
    const found = read("copies", name, invalid, () =>
      copies(page, { host: origin.host, origin: origin.origin, keys, digests, held, now: Date.parse(kept.now) }));
    same("copies", name, found, { left, ...want }, ["copies", "heads", "refused", "left"]);
  }
  for (const { name, page, after, head, invalid, items = [], cursor } of pages) {
    const found = read("pages", name, invalid, () => paged(page, { after, head }));
    same("pages", name, found, { items, cursor }, ["items", "cursor"]);
  }
  return { agrees: true, count: trees.length + signed.documents.length + signed.refused.length + kept.cases.length + pages.length };
}

// read gives what a page comes to; nothing for one that is to be refused whole.
function read(check, name, invalid, how) {
  let found;
  try {
    found = how();
  } catch (e) {
    if (!(e instanceof Disagreement)) throw e;
    hold(check, invalid, `${name}: ${e.message}`);
    return undefined;
  }
  hold(check, !invalid, `${name}: the page is read`);
  return found;
}

function same(check, name, found, want, members) {
  for (const what of found ? members : []) {
    hold(check, JSON.stringify(found[what]) === JSON.stringify(want[what]), `${name}: ${what} ${JSON.stringify(found[what])}, want ${JSON.stringify(want[what])}`);
  }
}

function proven(document, key) {
  try {
    verify("refused", document, key, ownersOf(document));
    return true;
  } catch (e) {
    if (e instanceof Disagreement) return false;
    throw e;
  }
}
