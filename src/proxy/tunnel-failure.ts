// What goes wrong on a way through an outbound proxy: at the proxy, or beyond it before anything was sent.
// Pure. Every sentence names the proxy and the variable that chose it, and never quotes an error's text.
import { AppError } from "../messages/errors.ts";
import { isCertificateFault } from "./certificate-fault.ts";
import type { ProxyHop } from "./outbound.ts";

const said = ({ shown, source }: ProxyHop): string => `outbound proxy ${shown} (from ${source})`;

/** The proxy answered, and not with a tunnel. No `cause`: to ask again cannot help. */
export const refusedBy = (hop: ProxyHop, status: number): AppError =>
  status === 407
    ? new AppError({
        code: "upstream-unreachable",
        message: `The ${said(hop)} wants a user name and a password (407).`,
        hint: `Write them into ${hop.source} as ${hop.secure ? "https" : "http"}://user:password@host:port.`,
      })
    : new AppError({
        code: "upstream-unreachable",
        message: `The ${said(hop)} refused the tunnel with status ${status}.`,
        hint: "Ask who runs that proxy, or exempt the upstream with NO_PROXY.",
      });

/** There was no talking to the proxy itself. */
export const unreachableHop = (hop: ProxyHop, cause: Error): AppError => {
  const reason = codeOf(cause);
  return isCertificateFault(reason)
    ? new AppError({
        code: "upstream-unreachable",
        message: `The certificate of the ${said(hop)} is not trusted (${reason}); nothing was sent.`,
        hint: "Name its certificate authority with upstream.caFile.",
        cause,
      })
    : new AppError({ code: codeFor(reason), message: `The ${said(hop)} could not be reached: ${reason}.`, hint: `Check ${hop.source}.`, cause });
};

/** The tunnel stood, and TLS with `origin` at its other end failed. */
export const failedBeyond = (hop: ProxyHop, origin: string, cause: Error): AppError => {
  const reason = codeOf(cause);
  const end = `${origin}, reached through the ${said(hop)},`;
  return isCertificateFault(reason)
    ? new AppError({
        code: "upstream-unreachable",
        message: `The certificate of ${end} is not trusted (${reason}); nothing was sent.`,
        hint: "If that proxy opens TLS, name its certificate authority with upstream.caFile.",
        cause,
      })
    : new AppError({ code: codeFor(reason), message: `No TLS connection with ${end} could be agreed (${reason}).`, hint: `Check ${hop.source}, or exempt the upstream with NO_PROXY.`, cause });
};

const codeFor = (reason: string): "upstream-timeout" | "upstream-unreachable" =>
  reason === "ETIMEDOUT" || reason === "UND_ERR_CONNECT_TIMEOUT" ? "upstream-timeout" : "upstream-unreachable";

const codeOf = (cause: Error): string => ("code" in cause && typeof cause.code === "string" ? cause.code : "no answer");
