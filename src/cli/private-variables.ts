// What this program is told by its environment and tells nobody: no child process inherits it.

/** The passphrase of the store, and the outbound proxy, whose address may hold a password. */
export const privateVariables: readonly string[] = ["CLAUDE_OAUTH_PROXY_PASSPHRASE", "CLAUDE_OAUTH_PROXY_UPSTREAM__PROXY"];
