// SPDX-License-Identifier: AGPL-3.0-or-later

// The test vectors of docs/PROFILE.md: digest trees, signed documents, pages of
// copies.

import { utf8ToBytes } from "@noble/hashes/utils";
import { contentDigest, copies, copyDigest, Disagreement, follow, hash, hold, ownersOf, tree, verify } from "./profile.js";

export function vectors(trees, signed, pages) {
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
  for (const { name, page, invalid, ...want } of pages.cases) {
    const origin = new URL(pages.origin);
    let found;
    try {
      found = copies(page, { host: origin.host, origin: origin.origin, key: pages.key, now: Date.parse(pages.now) });
    } catch (e) {
      if (!(e instanceof Disagreement)) throw e;
      hold("copies", invalid, `${name}: ${e.message}`);
      continue;
    }
    hold("copies", !invalid, `${name}: the page is read`);
    for (const what of ["copies", "heads", "refused"]) {
      hold("copies", JSON.stringify(found[what]) === JSON.stringify(want[what]), `${name}: ${what} ${JSON.stringify(found[what])}, want ${JSON.stringify(want[what])}`);
    }
  }
  return { agrees: true, count: trees.length + signed.documents.length + signed.refused.length + pages.cases.length };
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
