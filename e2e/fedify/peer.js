// SPDX-License-Identifier: AGPL-3.0-or-later

// A small server on Fedify, whose code for signatures, WebFinger, JSON-LD and
// proofs is not ours. It reads commands from its input, one JSON object a line
// {"id", "do", …}, and answers each with one line {"id", "result"|"error"}; what
// its inbox received it writes as {"received": …}.
//
//   node peer.js CERT KEY

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createInterface } from "node:readline";
import { Temporal } from "@js-temporal/polyfill";
import { createFederation, generateCryptoKeyPair, MemoryKvStore } from "@fedify/fedify";
import { verifyObject, verifyRequestDetailed } from "@fedify/fedify/sig";
import {
  Accept, Activity, Announce, Application, Create, Delete, EmojiReact, Endpoints, Follow, Image, Like, Note, Object as ASObject, Person,
  PUBLIC_COLLECTION, Tombstone, Undo, Update,
} from "@fedify/vocab";

const keys = new Map(); // identifier → promise of its key pairs
const notes = new Map(); // id → Note, as now served
const followers = new Map(); // identifier → Map of actor → inboxes
let refuseCavage = false;
let base;

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const now = () => Temporal.Now.instant();
const newKeys = () => Promise.all([generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), generateCryptoKeyPair("Ed25519")]);

// Two federations over the same world differ in how they sign first.
const federations = Object.fromEntries(
  ["draft-cavage-http-signatures-12", "rfc9421"].map((firstKnock) => [firstKnock, federate(firstKnock)]),
);
const federation = federations["draft-cavage-http-signatures-12"];

function federate(firstKnock) {
  const f = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true, firstKnock });
  f.setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    const pairs = await ctx.getActorKeyPairs(identifier);
    const kind = identifier === "node" ? Application : Person;
    return new kind({
      id: ctx.getActorUri(identifier), preferredUsername: identifier, name: `Compte ${identifier}`,
      inbox: ctx.getInboxUri(identifier), endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      followers: ctx.getFollowersUri(identifier), url: ctx.getActorUri(identifier),
      publicKey: pairs[0].cryptographicKey, assertionMethods: pairs.map((p) => p.multikey),
    });
  }).setKeyPairsDispatcher((_, identifier) => {
    if (!keys.has(identifier)) keys.set(identifier, newKeys());
    return keys.get(identifier);
  });
  f.setFollowersDispatcher("/users/{identifier}/followers", (_, identifier) => ({
    items: [...(followers.get(identifier) ?? new Map())].map(([id, inbox]) => ({ id: new URL(id), inboxId: inbox, endpoints: null })),
  }));
  f.setObjectDispatcher(Note, "/notes/{id}", (_, { id }) => notes.get(id) ?? null);
  f.setInboxListeners("/users/{identifier}/inbox", "/inbox")
    .on(Follow, async (ctx, follow) => {
      const follower = await follow.getActor(ctx);
      const { identifier } = ctx.parseUri(follow.objectId);
      if (!followers.has(identifier)) followers.set(identifier, new Map());
      followers.get(identifier).set(follower.id.href, follower.inboxId);
      await note(ctx, follow);
      await ctx.sendActivity({ identifier }, follower, new Accept({ actor: follow.objectId, object: follow, id: fresh("accept") }), { immediate: true });
    })
    .on(Undo, async (ctx, undo) => {
      const follow = await undo.getObject(ctx);
      if (follow instanceof Follow) followers.get(ctx.parseUri(follow.objectId).identifier)?.delete(undo.actorId.href);
      await note(ctx, undo);
    })
    .on(Activity, note)
    .onError((_, error) => say({ received: { error: String(error) } }));
  f.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
    software: { name: "fedify-peer", version: "1.0.0" }, protocols: ["activitypub"],
    usage: { users: {}, localPosts: 0, localComments: 0 },
  }));
  return f;
}

// note says what Fedify itself accepted.
async function note(ctx, activity) {
  const object = await activity.getObject({ ...loaders(ctx), suppressError: true }).catch(() => null);
  say({ received: { type: activity.constructor.name, id: activity.id?.href, actor: activity.actorId?.href, object: activity.objectId?.href, ...describe(object) } });
}

// describe is what Fedify reads of an object.
function describe(o) {
  if (!(o instanceof ASObject)) return {};
  const image = (i) => i instanceof Image && { url: i.url?.href, alt: i.name?.toString() };
  return {
    kind: o.constructor.name, name: o.name?.toString(), summary: o.summary?.toString(), content: o.content?.toString(),
    url: (o.url?.href ?? o.url)?.toString(), author: o.attributionId?.href, published: o.published?.toString(), updated: o.updated?.toString(), image,
  };
}

let serial = 0;
const fresh = (what) => new URL(`/${what}/${++serial}`, base);
const loaders = ({ documentLoader, contextLoader }) => ({ documentLoader, contextLoader });
const context = (first) => (federations[first ?? "draft-cavage-http-signatures-12"] ?? federation).createContext(base, undefined);

// send delivers an activity of a user to an actor's inbox, or to those who
// follow the user here.
async function send(c, activity) {
  const ctx = context(c.signature);
  const to = c.to ? await ctx.lookupObject(c.to) : "followers";
  await ctx.sendActivity({ identifier: c.as }, to, activity, { immediate: true, preferSharedInbox: c.shared ?? true });
  return activity.id.href;
}

const common = (c, what) => ({ id: fresh(what), actor: context().getActorUri(c.as), tos: [PUBLIC_COLLECTION] });

const commands = {
  async lookup(c) { // as a user who pastes a handle or an address
    const ctx = context();
    const o = await ctx.lookupObject(c.what);
    if (o == null) return null;
    const out = { ...describe(o), id: o.id?.href, username: o.preferredUsername?.toString(), pictures: [], hashtags: [] };
    for await (const a of o.getAttachments({ ...loaders(ctx), suppressError: true })) if (a instanceof Image) out.pictures.push({ url: a.url?.href, alt: a.name?.toString() });
    for await (const t of o.getTags({ ...loaders(ctx), suppressError: true })) if (t.constructor.name === "Hashtag") out.hashtags.push(t.name?.toString());
    if (o.getOutbox) out.outbox = (await o.getOutbox(ctx))?.totalItems;
    return out;
  },
  async verify(c) { // FEP-8b32, of a document as it is served
    const ctx = context();
    const { document } = await ctx.documentLoader(c.what);
    const o = await verifyObject(ASObject, c.changed ? { ...document, name: "Changé" } : document, loaders(ctx));
    return { proved: o != null, type: document.type };
  },
  follow: (c) => send(c, new Follow({ ...common(c, "follow"), object: new URL(c.object) })),
  unfollow: (c) => send(c, new Undo({ ...common(c, "undo"), object: new Follow({ id: new URL(c.follow), actor: context().getActorUri(c.as), object: new URL(c.object) }) })),
  like: (c) => send(c, new Like({ ...common(c, "like"), object: new URL(c.object) })),
  react: (c) => send(c, new EmojiReact({ ...common(c, "react"), object: new URL(c.object), content: "🌱" })),
  unlike: (c) => send(c, new Undo({ ...common(c, "undo"), object: new Like({ id: new URL(c.like), actor: context().getActorUri(c.as), object: new URL(c.object) }) })),
  boost: (c) => send(c, new Announce({ ...common(c, "boost"), object: new URL(c.object) })),
  unboost: (c) => send(c, new Undo({ ...common(c, "undo"), object: new Announce({ id: new URL(c.boost), actor: context().getActorUri(c.as), object: new URL(c.object) }) })),
  async publish(c) { // in reply to something, or of itself
    const id = String(++serial);
    const n = new Note({
      id: context().getObjectUri(Note, { id }), attribution: context().getActorUri(c.as), replyTarget: c.object ? new URL(c.object) : null, content: c.content,
      published: now(), tos: [PUBLIC_COLLECTION],
    });
    notes.set(id, n);
    await send(c, new Create({ ...common(c, "create"), object: n }));
    return n.id.href;
  },
  async edit(c) {
    const id = c.note.split("/").pop();
    notes.set(id, notes.get(id).clone({ content: c.content, updated: now() }));
    return send(c, new Update({ ...common(c, "update"), object: notes.get(id) }));
  },
  async delete(c) {
    notes.delete(c.note.split("/").pop());
    return send(c, new Delete({ ...common(c, "delete"), object: new Tombstone({ id: new URL(c.note) }) }));
  },
  async rotate(c) { // the next signature is made with keys that nobody has seen
    keys.set(c.as, newKeys());
    await keys.get(c.as);
    return true;
  },
  async followers(c) { return [...(followers.get(c.as) ?? new Map()).keys()]; },
  async signatures(c) { refuseCavage = c.only === "rfc9421"; return refuseCavage; },
};

const server = createServer({ cert: readFileSync(process.argv[2]), key: readFileSync(process.argv[3]) }, async (req, res) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const headers = new Headers();
  for (let i = 0; i < req.rawHeaders.length; i += 2) headers.append(req.rawHeaders[i], req.rawHeaders[i + 1]);
  const request = new Request(new URL(req.url, base), { method: req.method, headers, body: req.method === "POST" ? body : undefined });
  let response;
  if (req.method === "POST" && refuseCavage && !headers.has("signature-input")) {
    response = new Response("RFC 9421 only", { status: 401 });
  } else {
    if (req.method === "POST") await inspect(request.clone(), body);
    response = await federation.fetch(request, { contextData: undefined });
  }
  let text = Buffer.from(await response.arrayBuffer());
  if (req.url === "/.well-known/nodeinfo") { // FEP-2677, which Fedify leaves to its users
    const links = JSON.parse(text);
    links.links.push({ rel: "https://www.w3.org/ns/activitystreams#Application", href: new URL("/users/node", base).href });
    text = Buffer.from(JSON.stringify(links));
    response.headers.delete("content-length");
  }
  res.writeHead(response.status, Object.fromEntries(response.headers)).end(text);
});

// inspect says how a delivery was signed and whether both proofs hold, of the
// request (draft-cavage or RFC 9421) and of the document (FEP-8b32).
async function inspect(request, body) {
  const ctx = context();
  const signature = request.headers.has("signature-input") ? "rfc9421" : "draft-cavage-http-signatures-12";
  const checked = await verifyRequestDetailed(request, { ...loaders(ctx), spec: signature }).catch((error) => ({ verified: false, reason: String(error) }));
  const proved = await verifyObject(Activity, JSON.parse(body), loaders(ctx)).then((o) => o != null, (error) => String(error));
  const { id, type } = JSON.parse(body);
  say({ received: { signed: checked.verified === true, reason: checked.reason, signature, proved, id, signedType: type } });
}

server.listen(0, process.argv[4] ?? "127.0.0.1", () => {
  base = new URL(`https://${server.address().address}:${server.address().port}`);
  say({ id: 0, result: base.origin });
});

createInterface({ input: process.stdin }).on("line", async (line) => {
  const c = JSON.parse(line);
  try {
    say({ id: c.id, result: (await commands[c.do](c)) ?? null });
  } catch (error) {
    say({ id: c.id, error: String(error?.stack ?? error) });
  }
}).on("close", () => process.exit(0));
