import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findMember } from "../../src/proxy/json-member.ts";
import { mapsModels, planModel, modelAsked } from "../../src/proxy/models.ts";
import { isWhole, post } from "./raw-client.ts";
import { reply } from "./raw-upstream.ts";
import { aCredential, steadyCredentials } from "./harness.ts";
import { useScenes } from "./scene.ts";

const open = useScenes();
const models = { default: null, map: { fast: [{ model: "real-b", priority: 2 }, { model: "real-a", account: "work", priority: 1 }] } };

describe("findMember", () => {
  it("finds what JSON.parse finds, in any JSON text", () => {
    fc.assert(
      fc.property(fc.dictionary(
        fc.oneof(fc.constantFrom("model", "mod\u00e9l", 'm"x', "a\\"), fc.string()), fc.jsonValue(), { noNullPrototype: true },
      ), fc.constantFrom(0, 1, "\t"), (value, indent) => {
        const text = Buffer.from(JSON.stringify(value, null, indent));
        for (const name of Object.keys(value).filter((key) => /^[\w ]*$/.test(key))) {
          const spans = findMember(text, name) ?? [];
          expect(spans.map(({ start, end }) => JSON.parse(text.toString("utf8", start, end)))).toEqual([JSON.parse(JSON.stringify(value))[name]]);
        }
        expect(findMember(text, "never there")).toEqual([]);
      }),
    );
  });

  it.each(["", "[]", '"model"', "{", '{"model"', '{"model":', '{"model":"a', '{"model":"a"', '{"a":{', '{"a":1}x', "{a:1}"])("%s is not one object", (text) => {
    expect(findMember(Buffer.from(text), "model")).toBe(null);
  });

  it("a name written with escapes is the same name", () => {
    expect(findMember(Buffer.from('{"mod\\u0065l":1}'), "model")).toHaveLength(1);
  });
});

describe("planModel", () => {
  it("replaces the name's bytes and nothing else", () => {
    const body = Buffer.from('{ "x" : [1.0, {"model":"fast"}],\n "model" :\t"fast" , "y":"\\u00e9é"}');
    const plan = planModel(body, models);
    expect(plan.routes.map(({ model }) => model)).toEqual(["real-a", "real-b"]);
    const [best] = plan.routes;
    expect(best && plan.apply(best).toString()).toBe('{ "x" : [1.0, {"model":"fast"}],\n "model" :\t"real-a" , "y":"\\u00e9é"}');
  });

  it("leaves a body alone that names no route, is no JSON, or says it already", () => {
    for (const text of ['{"model":"other"}', '{"model":5}', "nope", "", '{"model":"constructor"}']) expect(planModel(Buffer.from(text), models).routes).toEqual([]);
    const same = Buffer.from('{"model":"real"}');
    const plan = planModel(same, { default: "real", map: null });
    expect(plan.apply({ model: "real" })).toBe(same);
  });

  it("a model given twice is replaced twice, also when the last one is right", () => {
    const half = planModel(Buffer.from('{"model":"x","model":"real"}'), { default: "real", map: null });
    expect(half.apply({ model: "real" }).toString()).toBe('{"model":"real","model":"real"}');
    const plan = planModel(Buffer.from('{"model":"x","model":"fast"}'), models);
    expect(plan.apply({ model: "m" }).toString()).toBe('{"model":"m","model":"m"}');
  });

  it("says whether there is anything to map at all", () => {
    expect([mapsModels({ default: null, map: null }), mapsModels({ default: null, map: {} }), mapsModels({ default: "x", map: null }), mapsModels(models)]).toEqual([false, false, true, true]);
  });
});

describe("modelAsked", () => {
  it.each([
    ['{"model":"claude-x","messages":[]}', "claude-x"],
    [' {\n "max_tokens": 5, "stream":true, "model" : "a-b"', "a-b"],
    ['{"model":"a\u001bb"}', null],
    ['{"messages":[{"model":"no"}]}', null],
    ["", null],
  ])("%s asks for %s", (head, expected) => {
    expect(modelAsked(Buffer.from(head))).toBe(expected);
    expect(modelAsked(null)).toBe(null);
  });
});

describe("a mapped request", () => {
  it("goes out with the route's model and asks for the route's account, and for the next one when that cannot serve", async () => {
    const wishes: (string | null)[] = [];
    const credentials = {
      ...steadyCredentials(),
      acquire: ({ accountId }: { accountId: string | null }) => {
        wishes.push(accountId);
        if (accountId === "work") return { ok: false, code: "sign-in-needed", message: "no", hint: "", retryAfterSeconds: null } as const;
        return { ok: true, credential: aCredential() } as const;
      },
    };
    const { client, upstream } = await open(({ socket }) => socket.write(reply("200 OK", "x")), { credentials, settings: { models } });
    client.send(post('{"model":"fast","n":1}'));
    await client.until(isWhole);
    expect(wishes).toEqual(["work", null]);
    expect(upstream.requests[0]?.body.toString()).toBe('{"model":"real-b","n":1}');
    expect(upstream.requests[0]?.head).toMatch(/content-length: 24/);
  });

  it("a body without a route keeps its bytes, chunked or not", async () => {
    const { client, upstream } = await open(({ socket }) => socket.write(reply("200 OK", "x")), { settings: { models } });
    client.send('POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{ "a":1\r\n1\r\n}\r\n0\r\n\r\n');
    await client.until(isWhole);
    expect(upstream.requests[0]?.body.toString()).toBe('{ "a":1}');
  });
});
