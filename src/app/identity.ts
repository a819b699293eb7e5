// Which account a granted sign-in becomes, and whether a person has to agree first. Same person and organisation, same
// account; a person who is not here yet is asked for, and so is every replacement of one by another. Not asked: the first
// account of all, a person who is here, an account that never had a known holder.
import type { Account } from "../accounts/account.ts";
import type { AskedIdentity } from "../messages/identity.ts";
import type { TokenGrant } from "../messages/tokens.ts";
import type { GrantedLogin } from "../oauth/login-attempt.ts";
import { freeAccountId } from "./stored-account.ts";

export type Place = {
  readonly id: string;
  /** The account of that name, if there is one: it is signed in again. */
  readonly before: Account | undefined;
  /** Null when nothing has to be asked. */
  readonly asked: AskedIdentity | null;
};

export type PlaceOptions = {
  readonly login: GrantedLogin;
  /** The name that was asked for. */
  readonly wantedId: string | null;
  /** True for an account of the server that granted it: only there a person's id means the same person. */
  readonly isOfServer: (account: Account) => boolean;
};

export const placeOf = (known: ReadonlyMap<string, Account>, { login, wantedId, isOfServer }: PlaceOptions): Place => {
  const { grant, kind } = login;
  const here = [...known.values()].filter((account) => isOfServer(account) && account.account?.uuid === grant.account?.uuid && grant.account !== null);
  const same = kind === "max" ? here.find((account) => account.kind === "oauth" && account.organization?.uuid === grant.organization?.uuid) : undefined;
  const id = wantedId ?? same?.id ?? freeAccountId(kind === "max" ? "claude" : "console", known);
  const before = known.get(id);
  return { id, before, asked: before === undefined ? newcomer(id, { login, isHere: known.size === 0 || here.length > 0 }) : successor(before, login) };
};

const newcomer = (accountId: string, { login, isHere }: { readonly login: GrantedLogin; readonly isHere: boolean }): AskedIdentity | null =>
  isHere ? null : { kind: kindOf(login), accountId, ...identityOf(login.grant), replaces: null };

/** An account that never had a known holder, such as an imported one, takes the first one who signs it in. */
const successor = (before: Account, login: GrantedLogin): AskedIdentity | null => {
  const { grant } = login;
  const isSameKind = before.kind === kindOf(login);
  const isSameHolder = before.account === null || (before.account.uuid === grant.account?.uuid && isSameOrganization(before, grant));
  if (isSameKind && isSameHolder) return null;
  return { kind: kindOf(login), accountId: before.id, ...identityOf(grant), replaces: { ...identityOf(before), kind: before.kind } };
};

const kindOf = ({ kind }: GrantedLogin): Account["kind"] => (kind === "max" ? "oauth" : "api_key");

const isSameOrganization = (before: Account, { organization }: TokenGrant): boolean =>
  before.organization === null || organization === null || before.organization.uuid === organization.uuid;

const identityOf = ({ account, organization }: Pick<TokenGrant, "account" | "organization">): Pick<AskedIdentity, "email" | "organization"> => ({
  email: account?.emailAddress ?? null,
  organization: organization === null || organization.name === "" ? null : organization.name,
});

/** The answer that was given is one to `asked`. */
export const isAnswered = (asked: AskedIdentity, accepted: AskedIdentity | null): boolean =>
  accepted !== null && accepted.accountId === asked.accountId && accepted.email === asked.email && accepted.replaces?.email === asked.replaces?.email && accepted.replaces?.kind === asked.replaces?.kind;
