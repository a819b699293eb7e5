// Whose a granted sign-in is, when that has to be asked before it is kept: who it is, what it would become, and the
// question in words. Shown to the person who began the sign-in and to who holds the local key, never in an event.
import { visibleText } from "../lib/visible-text.ts";

/** Null where the server did not say. */
export type Identity = { readonly email: string | null; readonly organization: string | null };

/** A subscription's sign-in, or an API key. */
type Kind = "oauth" | "api_key";

export type AskedIdentity = Identity & {
  readonly kind: Kind;
  /** The account that it becomes. */
  readonly accountId: string;
  /** Who holds that account now; null when it is a new one. An API key that was typed in has no e-mail. */
  readonly replaces: (Identity & { readonly kind: Kind }) | null;
};

/** A granted sign-in that waits for a yes or no. */
export type IdentityQuestion = AskedIdentity & {
  /** Comes back with the yes, so that it belongs to what was shown. Opaque. */
  readonly confirm: string;
};

/** `Add dana@example.com to this proxy?`, or who is replaced by whom. */
export const identityQuestion = (asked: AskedIdentity): string => {
  const { replaces, accountId } = asked;
  if (replaces === null) return `Add ${nameOf(asked)} to this proxy?`;
  const [before, after] = replaces.kind === asked.kind ? personsOf(replaces, asked) : [credentialOf(replaces), credentialOf(asked)];
  return `Replace ${before} by ${after} in the account "${accountId}"?`;
};

/** Why it is asked, as a sentence for who cannot be asked here. */
export const identityConflict = (asked: AskedIdentity): string =>
  asked.replaces === null
    ? `This code signs in ${nameOf(asked)}, who has no account in this proxy yet.`
    : `This code signs in ${longName(asked)}, but the account "${asked.accountId}" is ${credentialOf(asked.replaces)}.`;

// One person with two subscriptions: only the organisation tells them apart.
const personsOf = (before: Identity, after: Identity): readonly [string, string] =>
  before.email !== null && before.email === after.email ? [longName(before), longName(after)] : [nameOf(before), nameOf(after)];

const credentialOf = ({ kind, ...identity }: Identity & { readonly kind: Kind }): string => {
  if (kind === "api_key") return identity.email === null ? "an API key" : `an API key of ${longName(identity)}`;
  return `the sign-in of ${longName(identity)}`;
};

/** The e-mail address, or words in its place. */
export const nameOf = ({ email }: Identity): string => (email === null ? "a person whom the server does not name" : visibleText(email, 100));

const longName = (identity: Identity): string => `${nameOf(identity)}${identity.organization === null ? "" : ` (${visibleText(identity.organization, 60)})`}`;
