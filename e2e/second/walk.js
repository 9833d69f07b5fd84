// SPDX-License-Identifier: AGPL-3.0-or-later

// Reads the state collection of a node whole and holds it to docs/PROFILE.md. It
// prints one line of JSON: what it found, or {"disagrees": check, "because": text}
// and leaves with 1. Anything that is neither leaves with 2.
//
//   node walk.js ORIGIN [--via ADDRESS] [--pin KEY] [--held NUMBER]
//   node walk.js --vectors TREES DOCUMENTS COPIES PAGES

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  compare, copyDigest, Disagreement, follow, hold, innerHash, keyOf, leafHash, number, ownersOf, tree, verify,
} from "./profile.js";
import { vectors } from "./vectors.js";

const mediaType = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"';
const pageItems = 100;
const pageBytes = 1 << 20;
const tries = 5;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { via: { type: "string" }, pin: { type: "string" }, held: { type: "string" }, vectors: { type: "boolean" } },
});

class Walk {
  constructor(origin) {
    this.origin = origin;
    this.node = origin + "/actor";
    this.requests = 0;
  }

  // get asks for an address of the node, through another one when told so.
  async get(address, headers = {}) {
    hold("addresses", address === this.origin || address.startsWith(this.origin + "/"), `${address} is not at ${this.origin}`);
    this.requests++;
    const answer = await fetch((options.via ?? this.origin) + address.slice(this.origin.length), {
      headers: { accept: mediaType, ...headers }, redirect: "error",
    });
    return { status: answer.status, etag: answer.headers.get("etag"), text: await answer.text() };
  }

  async document(check, address) {
    const { status, text, etag } = await this.get(address);
    hold(check, status === 200, `${address}: status ${status}`);
    let document;
    try {
      document = JSON.parse(text);
    } catch (e) {
      throw new Disagreement(check, `${address}: ${e.message}`);
    }
    hold(check, document.id === address, `at ${address} stands ${document.id}`);
    return { document, text, etag };
  }

  // keys reads the node's actor: the key that proves everything, which the pinned
  // one is or leads to.
  async keys() {
    const { document } = await this.document("keys", this.node);
    const shown = (document.assertionMethod ?? []).filter((k) => k.type === "Multikey" && k.controller === this.node);
    hold("keys", shown.length === 1, `${shown.length} keys`);
    this.trusted = follow(document, options.pin ?? shown[0].publicKeyMultibase);
    hold("keys", this.trusted.at(-1) === shown[0].publicKeyMultibase, `${shown[0].publicKeyMultibase} continues no key that is pinned`);
    this.key = shown[0].publicKeyMultibase;
    verify("actor", document, this.key, [this.node]);
    hold("streams", document.streams?.includes(this.origin + "/commons"), "the actor does not list the collection");
  }

  async head() {
    const { document: h } = await this.document("head", this.origin + "/commons");
    hold("head", h.type === "OrderedCollection" && h.attributedTo === this.node && h.orderType === "ForwardChronological", `of type ${h.type}, ${h.orderType}, by ${h.attributedTo}`);
    verify("head", h, this.key, [this.node]);
    hold("head", h.totalItems === h["essaim:count"] && h.first === this.origin + "/commons?after=0.0", "totals or first page");
    hold("head", Date.parse(h["essaim:at"]) < Date.now() + 3600e3 && h["essaim:incarnation"] < Date.now() / 1000 + 3600, "from the future");
    const at = `${h["essaim:incarnation"]}.${h["essaim:n"]}`;
    number("head", at);
    for (const held of [options.held, this.at].filter(Boolean)) {
      const [a, b] = [number("rollback", at), number("rollback", held)];
      hold("rollback", a[0] !== b[0] || compare(a, b) >= 0, `head ${at} goes back behind ${held}`);
    }
    this.at = at;
    return h;
  }

  // pages reads the collection from its first page: the items in their order, each
  // at its latest change.
  async pages(head) {
    const items = new Map();
    let next = head.first;
    let [before, last] = [[0n, 0n], null];
    while (next) {
      const { document: page, text, etag } = await this.document("page", next);
      hold("page", page.type === "OrderedCollectionPage" && page.partOf === head.id, `${next} is a ${page.type} of ${page.partOf}`);
      hold("page", page.orderedItems.length <= pageItems && text.length < pageBytes, `${next}: ${page.orderedItems.length} items, ${text.length} bytes`);
      const cursor = number("cursor", page["essaim:cursor"]);
      hold("cursor", compare(cursor, before) > 0 || page.orderedItems.length === 0, `${next} goes no further than ${page["essaim:cursor"]}`);
      if (compare(cursor, number("cursor", this.at)) > 0) await this.head(); // it may have changed meanwhile
      hold("cursor", compare(cursor, number("cursor", this.at)) <= 0, `${page["essaim:cursor"]} is above the signed head ${this.at}`);
      for (const item of page.orderedItems) {
        hold("items", typeof item.id === "string" && item.id.startsWith(this.origin + "/"), `${item.id} is not of the node`);
        verify("item", item, this.key, ownersOf(item));
        items.delete(item.id); // one that changed meanwhile is met again, further on
        items.set(item.id, { id: item.id, type: item.type, digest: copyDigest(item), page: text });
      }
      if (!page.next) {
        hold("pages", compare(cursor, number("cursor", page["essaim:head"])) === 0, `the last page ends at ${page["essaim:cursor"]}, the head is ${page["essaim:head"]}`);
        last = { address: next, etag };
      }
      [before, next] = [cursor, page.next];
    }
    this.last = last;
    return items;
  }

  // digests walks the tree from the signed root down and returns its lines; null
  // when the node changed meanwhile.
  async digests(head, prefix = "", want = head["essaim:root"]) {
    const { document: n } = await this.document("digests", head["essaim:digests"] + (prefix && "/" + prefix));
    if (n["essaim:head"] !== this.at) return null;
    hold("digests", n["essaim:prefix"] === prefix && n["essaim:root"] === head["essaim:root"] && n["essaim:hash"] === want, `${n.id} names other hashes`);
    const children = n["essaim:children"];
    if (children) {
      hold("digests", children.length === 16 && children.every((c) => /^([0-9a-f]{64})?$/.test(c)), `${n.id}: ${children.length} children`);
      hold("digests", innerHash(children) === want, `${n.id} is not what stands above it`);
      const lines = [];
      for (const [i, c] of children.entries()) {
        if (c === "") continue;
        const below = await this.digests(head, prefix + i.toString(16), c);
        if (!below) return null;
        lines.push(...below);
      }
      hold("digests", lines.length === n.totalItems && lines.length > 64, `${n.id}: ${lines.length} lines below, it says ${n.totalItems}`);
      return lines;
    }
    const lines = n["essaim:lines"].map((l) => ({ id: l.id, digest: l["essaim:copyDigest"] }));
    hold("digests", lines.length <= 64 && lines.length === n.totalItems, `${n.id}: ${lines.length} lines of ${n.totalItems}`);
    hold("digests", lines.every((l) => keyOf(l.id).startsWith(prefix)), `${n.id}: a line of another place`);
    hold("digests", leafHash(lines) === want, `${n.id} is not what stands above it`);
    return lines;
  }

  // own asks for each item at its own address: the same bytes stand there.
  async own(items) {
    const all = [...items.values()];
    for (let i = 0; i < all.length; i += 8) {
      await Promise.all(all.slice(i, i + 8).map(async (item) => {
        const { status, text } = await this.get(item.id);
        hold("own", status === (item.type === "Tombstone" ? 410 : 200), `${item.id}, a ${item.type}: status ${status}`);
        hold("own", item.page.includes(text), `${item.id} is served as other bytes at its own address`);
      }));
    }
  }

  // refusals are what is asked in a form that the profile refuses, and again.
  async refusals() {
    const status = async (path) => (await this.get(this.origin + path)).status;
    for (const bad of ["1", "01.1", "x.1", "-1.1", "1.1.1", ""]) hold("numbers", (await status("/commons?after=" + bad)) === 400, `after=${bad} is not refused`);
    for (const bad of ["g", "AB", "0".repeat(65)]) hold("prefixes", (await status("/commons/digest/" + bad)) === 404, `digest/${bad} is no 404`);
  }

  // again asks for the last page once more.
  async again() {
    const answer = await this.get(this.last.address, { "if-none-match": this.last.etag });
    return answer.status === 304 && answer.text === "";
  }

  // whole reads everything of one head.
  async whole() {
    await this.keys();
    for (let i = 0; i < tries; i++) {
      const head = await this.head();
      const items = await this.pages(head);
      const lines = await this.digests(head);
      const unchanged = await this.again();
      const after = await this.head();
      if (!lines || after["essaim:root"] !== head["essaim:root"]) continue; // it changed meanwhile
      hold("etag", unchanged, "a page after which nothing changed is no 304");
      const nodes = tree([...items.values()]);
      hold("count", items.size === head["essaim:count"], `${items.size} items, the head says ${head["essaim:count"]}`);
      hold("root", nodes.get("") === head["essaim:root"], `the pages make ${nodes.get("")}, the head says ${head["essaim:root"]}`);
      const listed = new Map(lines.map((l) => [l.id, l.digest]));
      hold("lines", listed.size === items.size && [...items.values()].every((it) => listed.get(it.id) === it.digest), "pages and tree differ");
      await this.own(items);
      await this.refusals();
      const types = {};
      for (const it of items.values()) types[it.type] = (types[it.type] ?? 0) + 1;
      return { agrees: true, count: items.size, root: head["essaim:root"], number: this.at, keys: this.trusted, types, requests: this.requests };
    }
    throw new Error(`it changed during each of ${tries} walks`);
  }
}

try {
  const found = options.vectors ? vectors(...positionals.map((f) => JSON.parse(readFileSync(f, "utf8")))) : await new Walk(positionals[0]).whole();
  console.log(JSON.stringify(found));
} catch (e) {
  console.log(JSON.stringify(e instanceof Disagreement ? { disagrees: e.check, because: e.message } : { failed: e.stack }));
  process.exitCode = e instanceof Disagreement ? 1 : 2;
}
