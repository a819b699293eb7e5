// Secrets that are followed through a story: each has a name, and afterwards nobody may find one anywhere,
// neither as it is nor encoded, cut in half, or torn apart by the edge of a screen.

export type Canaries = {
  /** Follows `value`, and gives it back. Anything from 12 characters on; a prefix that all share does not count. */
  add(name: string, value: string): string;
  /** The value of a name; throws for one that was never added. */
  get(name: string): string;
  names(): readonly string[];
  /** The names of what is found in `text`, each with the form it was found in; those in `allowed` may be there. */
  found(text: string, allowed?: readonly string[]): readonly string[];
};

type Form = { readonly name: string; readonly form: string; readonly text: string };

const shared = /^(?:sk-ant-[a-z]+\d\d-|cop_|Bearer )/;

/** An empty set. */
export const createCanaries = (): Canaries => {
  const values = new Map<string, string>();
  const forms: Form[] = [];
  return {
    add(name, value) {
      const fresh = ![...values.values()].includes(value);
      values.set(name, value);
      if (value.replace(shared, "").length < 12) throw new Error(`the canary ${name} is too short to be told from ordinary text`);
      if (fresh) forms.push(...formsOf(name, value));
      return value;
    },
    get: (name) => values.get(name) ?? missing(name),
    names: () => [...values.keys()],
    found(text, allowed = []) {
      const places = [text, withoutBreaks(text)];
      const hits = forms.filter((form) => !allowed.includes(form.name) && places.some((place) => place.includes(form.text)));
      // The first form of each is the whole one, if that was found.
      return hits.filter(({ name }, index) => hits.findIndex((hit) => hit.name === name) === index).map(({ name, form }) => `${name} (${form})`);
    },
  };
};

const missing = (name: string): never => {
  throw new Error(`there is no canary ${name}`);
};

// What a terminal does to a long text: escape sequences in it, and a line break at every edge.
// oxlint-disable-next-line no-control-regex -- escape sequences are what is taken out
const withoutBreaks = (text: string): string => text.replace(/\u001b\[[0-9;?]*[A-Za-z]|[\r\n]/g, "");

const formsOf = (name: string, value: string): Form[] => {
  const core = value.replace(shared, "");
  const bytes = Buffer.from(value);
  const texts: Record<string, string> = {
    plain: core,
    "URL-encoded": encodeURIComponent(core),
    JSON: JSON.stringify(core).slice(1, -1),
    hex: bytes.toString("hex"),
    // The bytes before it shift the groups of three; cutting both ends leaves what is the same in each case.
    ...Object.fromEntries([0, 1, 2].map((shift) => [`base64 after ${shift}`, base64Core(bytes, shift)])),
    ...(core.length < 32 ? {} : { "first half": core.slice(0, 16), middle: core.slice(core.length / 2 - 8, core.length / 2 + 8), "last half": core.slice(-16) }),
  };
  return Object.entries(texts).map(([form, text]) => ({ name, form, text }));
};

const base64Core = (bytes: Buffer, shift: number): string =>
  Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64url").replace(/=+$/, "").slice(4, -4);

/** Where a secret could have gone: a name for people, and all that is there. */
export type Sinks = Map<string, string>;

type Exceptions = Readonly<Record<string, readonly string[]>>;

/** Every canary that is in some sink, as `canary (form) in sink`; `exceptions` lists what a sink is there to tell. */
export const leaksIn = (sinks: Sinks, canaries: Canaries, exceptions: Exceptions = {}): readonly string[] =>
  [...sinks].flatMap(([sink, text]) => canaries.found(text, exceptions[sink]).map((hit) => `${hit} in ${sink}`));
