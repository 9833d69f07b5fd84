// SPDX-License-Identifier: AGPL-3.0-or-later

// The test vectors of docs/PROFILE.md.

import { utf8ToBytes } from "@noble/hashes/utils";
import { contentDigest, copyDigest, Disagreement, follow, hash, hold, ownersOf, tree, verify } from "./profile.js";

export function vectors(trees, signed) {
  for (const v of trees) {
    const lines = Array.from({ length: v.items }, (_, i) => ({ id: `https://brest.example/objects/${i}`, digest: hash(utf8ToBytes(`copy ${i}`)) }));
    const nodes = tree(lines);
    hold("tree", nodes.get("").hash === v.root, `${v.name}: root ${nodes.get("").hash}, want ${v.root}`);
    const first = [...nodes].filter(([prefix]) => prefix.length === 1 && v.items > 64);
    hold("tree", first.length === Object.keys(v.nodes ?? {}).length, `${v.name}: ${first.length} nodes below the root`);
    for (const [prefix, node] of first) hold("tree", node.hash === v.nodes[prefix], `${v.name}: node ${prefix} is ${node.hash}`);
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
  return { agrees: true, count: trees.length + signed.documents.length + signed.refused.length };
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
