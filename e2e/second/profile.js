// SPDX-License-Identifier: AGPL-3.0-or-later

// What docs/PROFILE.md defines, on libraries made by others: canonical JSON,
// SHA-256, Ed25519 and base 58 are theirs.

import canonicalize from "canonicalize";
import { ed25519 } from "@noble/curves/ed25519";
import { sha256 } from "@noble/hashes/sha2";
import { bytesToHex, concatBytes, utf8ToBytes } from "@noble/hashes/utils";
import { base58 } from "@scure/base";

// Disagreement says which sentence of the profile does not hold.
export class Disagreement extends Error {
  constructor(check, text) {
    super(`${check}: ${text}`);
    this.check = check;
  }
}

export function hold(check, condition, text) {
  if (!condition) throw new Disagreement(check, text);
}

const digits = "0123456789abcdef";
const leafSize = 64;

export const hash = (bytes) => bytesToHex(sha256(bytes));
export const keyOf = (id) => hash(utf8ToBytes(id));
const canonical = (value) => utf8ToBytes(canonicalize(value));

// contentDigest names a version, copyDigest an exact copy.
export function contentDigest({ proof, ...content }) {
  return hash(canonical(content));
}
export const copyDigest = (document) => hash(canonical(document));

// key decodes a publicKeyMultibase of an Ed25519 key: base 58 after "z", then the
// two bytes of its multicodec.
export function key(check, multibase) {
  hold(check, typeof multibase === "string" && multibase[0] === "z", `no multibase: ${multibase}`);
  let bytes;
  try {
    bytes = base58.decode(multibase.slice(1));
  } catch (e) {
    throw new Disagreement(check, `no base 58: ${multibase}: ${e.message}`);
  }
  hold(check, bytes.length === 34 && bytes[0] === 0xed && bytes[1] === 0x01, `no Ed25519 key: ${multibase}`);
  return bytes.slice(2);
}

// verify holds a document to its FEP-8b32 proof by a key, in the name of one of
// its owners: whom it is attributed to, or itself, for an actor.
export function verify(check, document, multibase, owners) {
  const proof = document.proof;
  hold(check, proof && !Array.isArray(proof) && typeof proof === "object", `${document.id} has no proof`);
  hold(check, proof.type === "DataIntegrityProof" && proof.cryptosuite === "eddsa-jcs-2022" && proof.proofPurpose === "assertionMethod",
    `${document.id}: proof of type ${proof.type}, ${proof.cryptosuite}, ${proof.proofPurpose}`);
  const [owner] = String(proof.verificationMethod).split("#");
  hold(check, owners.includes(owner), `${document.id}: by ${proof.verificationMethod}, a key of none of ${owners}`);
  if (proof["@context"] !== undefined) {
    hold(check, canonicalize(proof["@context"]) === canonicalize(document["@context"]), `${document.id}: the proof has another @context`);
  }
  const { proofValue, ...options } = proof;
  const { proof: _, ...content } = document;
  let signature;
  try {
    signature = base58.decode(proofValue.slice(1));
  } catch (e) {
    throw new Disagreement(check, `${document.id}: proofValue: ${e.message}`);
  }
  const signed = concatBytes(sha256(canonical(options)), sha256(canonical(content)));
  let holds = false;
  try {
    holds = proofValue[0] === "z" && ed25519.verify(signature, signed, key(check, multibase), { zip215: false });
  } catch {
    // no point of the curve, or no signature: it does not hold
  }
  hold(check, holds, `${document.id} is not what ${multibase} signed`);
}

// ownersOf are who may prove an item.
export function ownersOf(document) {
  const by = document.attributedTo ?? document.id;
  return (Array.isArray(by) ? by : [by]).map((v) => (typeof v === "string" ? v : v.id));
}

// follow goes from a pinned key along the statements of an actor's document.
export function follow(actor, pinned) {
  const check = "keys";
  const keys = [pinned];
  for (const statement of (actor["essaim:keyHistory"] ?? []).slice(0, 64)) {
    if (statement["essaim:oldKey"] !== keys.at(-1)) continue;
    hold(check, statement.actor === actor.id, `a statement is about ${statement.actor}`);
    verify(check, statement, keys.at(-1), [statement.actor]);
    key(check, statement["essaim:newKey"]);
    keys.push(statement["essaim:newKey"]);
  }
  return keys;
}

// tree makes the hashes of the digest tree, by prefix, of lines {id, digest}.
export function tree(lines) {
  const nodes = new Map();
  const sorted = lines.map((l) => ({ ...l, key: keyOf(l.id) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const grow = (prefix, below) => {
    if (below.length <= leafSize) {
      nodes.set(prefix, leafHash(below));
      return;
    }
    const children = [...digits].map((d) => {
      const some = below.filter((l) => l.key.startsWith(prefix + d));
      if (some.length === 0) return "";
      grow(prefix + d, some);
      return nodes.get(prefix + d);
    });
    nodes.set(prefix, innerHash(children));
  };
  grow("", sorted);
  return nodes;
}

// innerHash is that of sixteen children in hex, an empty text for none.
export function innerHash(children) {
  const bytes = children.map((c) => (c === "" ? new Uint8Array(32) : Uint8Array.from(c.match(/../g), (b) => parseInt(b, 16))));
  return hash(concatBytes(Uint8Array.of(1), ...bytes));
}

export function leafHash(lines) {
  return hash(concatBytes(Uint8Array.of(0), utf8ToBytes(lines.map((l) => `${l.id}\n${l.digest}\n`).join(""))));
}

// number reads incarnation.n, without leading zeros.
export function number(check, text) {
  hold(check, /^(0|[1-9]\d*)\.(0|[1-9]\d*)$/.test(text), `no number: ${text}`);
  return text.split(".").map(BigInt);
}

export function compare(a, b) {
  for (const i of [0, 1]) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

// copies reads a page of what one node holds of another: what of it is taken, by
// the keys of the other, oldest first, what is refused, and how many say no more than
// what is held. digests are the nodes of the digest tree of who is asked, by prefix.
export function copies(page, { host, origin, keys, after = "", now, digests = {}, held = {} }) {
  const check = "copies";
  const items = page.orderedItems;
  hold(check, page["essaim:of"] === host && Array.isArray(items) && items.length <= 100, `no page of the copies of ${host}`);
  const cursor = page["essaim:cursor"];
  hold(check, cursor !== undefined || (items.length === 0 && !page.next), "items without a cursor");
  hold(check, cursor === undefined || (/^[0-9a-f]{64}$/.test(cursor) && cursor > after), `cursor ${cursor} after ${after}`);
  const found = { copies: [], heads: [], refused: [], left: 0 };
  const present = keys.at(-1);
  const proves = (document, multibase) => {
    try {
      const owners = ownersOf(document);
      hold(check, [document.id, ...owners].every((id) => new URL(id).origin === origin), `${document.id} is of another origin`);
      verify(check, document, multibase, owners);
      return !(Date.parse(document.updated ?? document.deleted) > now + 3600e3);
    } catch (e) {
      if (e instanceof Disagreement || e instanceof TypeError) return false;
      throw e;
    }
  };
  const roots = [];
  for (const head of page["essaim:heads"] ?? []) {
    if (head.id !== origin + "/commons" || !proves(head, present)) continue;
    found.heads.push(`${head["essaim:incarnation"]}.${head["essaim:n"]}`);
    roots.push(head["essaim:root"]);
  }
  found.heads.sort((a, b) => compare(number(check, b), number(check, a)));
  // What a retired key signed counts only where a head that holds lists it.
  const taken = (item) =>
    proves(item, present) || (keys.slice(0, -1).some((k) => proves(item, k)) && roots.some((root) => listed(digests, root, item.id, copyDigest(item))));
  let last = after;
  for (const item of items) {
    const at = keyOf(item.id);
    if (at <= last || at > cursor || !taken(item)) {
      found.refused.push(item.id);
      continue;
    }
    last = at;
    if (!says(item, held[item.id])) found.left++;
    else found.copies.push({ id: item.id, contentDigest: contentDigest(item), copyDigest: copyDigest(item) });
  }
  return found;
}

// says tells whether a document may say more than what is held under its id.
function says(document, held) {
  if (!held) return true;
  if (held.copyDigest === copyDigest(document)) return false;
  if (document.type === "Tombstone") return !held.tombstone || !held.copyDigest;
  if (held.tombstone) return false;
  if (document["essaim:kind"] === undefined) return true;
  const pair = (a, b) => [BigInt(a ?? 0), BigInt(b ?? 0)];
  return compare(pair(document["essaim:incarnation"], document["essaim:revision"]), pair(held.incarnation, held.revision)) > 0;
}

// listed tells whether a digest tree of a root has an item, hash by hash.
function listed(digests, root, id, digest) {
  const key = keyOf(id);
  for (let [want, i] = [root, 0]; ; i++) {
    const node = digests[key.slice(0, i)];
    if (!node) return false;
    const children = node["essaim:children"];
    if (children) {
      if (innerHash(children) !== want) return false;
      want = children[digits.indexOf(key[i])];
      continue;
    }
    const lines = node["essaim:lines"].map((l) => ({ id: l.id, digest: l["essaim:copyDigest"] }));
    return leafHash(lines) === want && lines.some((l) => l.id === id && l.digest === digest);
  }
}

// paged reads where a page of a commons goes, asked for after a number and under a
// signed head of another.
export function paged(page, { after, head }) {
  const check = "cursor";
  const items = page.orderedItems;
  const cursor = number(check, page["essaim:cursor"] ?? "");
  const c = compare(cursor, number(check, after));
  hold(check, c > 0 || (c === 0 && items.length === 0), `${page["essaim:cursor"]} after ${after}`);
  hold(check, compare(cursor, number(check, head)) <= 0, `${page["essaim:cursor"]} is above the signed head ${head}`);
  return { cursor: page["essaim:cursor"], items: items.map((i) => i.id) };
}
