// The invented people who have an account with the simulated Anthropic. Nobody of these exists.

export type SimulatedPerson = {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly uuid: string;
  readonly organization: { readonly uuid: string; readonly name: string; readonly type: string; readonly tier: string };
};

const person = (id: string, name: string, [type, tier]: readonly [string, string], digit: string): SimulatedPerson => ({
  id,
  name,
  email: `${id}@example.com`,
  uuid: `${digit.repeat(8)}-0000-4000-8000-${digit.repeat(12)}`,
  organization: { uuid: `${digit.repeat(8)}-0000-4000-9000-${digit.repeat(12)}`, name: `${name}'s Organization`, type, tier },
});

/** The first one is signed in to the simulated browser. */
export const people: readonly [SimulatedPerson, ...SimulatedPerson[]] = [
  person("ada", "Ada Example", ["claude_max", "default_claude_max_20x"], "a"),
  person("grace", "Grace Example", ["claude_pro", "default_claude_ai"], "b"),
  person("alan", "Alan Example", ["claude_team", "default_claude_max_5x"], "c"),
];

/** Finds a person by id or e-mail address; the first one when there is no such person. */
export const findPerson = (hint: string | null | undefined): SimulatedPerson =>
  people.find(({ id, email }) => id === hint || email === hint) ?? people[0];
