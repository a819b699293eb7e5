// Certificates made on the spot, self-signed or by an authority of their own, so that no private key lies
// in the repository. X.509 by hand (RFC 5280 section 4.1): Node can read certificates but not write them.
import { generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

export type Certificate = { readonly key: string; readonly cert: string };

export type CertificateWish = {
  /** DNS names and IPv4 addresses; `127.0.0.1` when left out. */
  readonly names?: readonly string[];
  /** Wall milliseconds; an hour around now when left out. */
  readonly from?: number;
  readonly until?: number;
};

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const time = (ms: number): Buffer => der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`));

const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
const commonName = (name: string): Buffer => sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(name)))));

const alternativeName = (name: string): Buffer =>
  /^[\d.]+$/.test(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name));

const extension = (id: string, value: Uint8Array): Buffer => sequence(oid(id), der(0x04, value));
const authorityOnly = extension("551d13", sequence(der(0x01, Uint8Array.of(0xff))));
const namesOnly = (names: readonly string[]): Buffer => extension("551d11", sequence(...names.map(alternativeName)));

type Draft = { readonly subject: string; readonly issuer: string; readonly extension: Uint8Array; readonly from?: number | undefined; readonly until?: number | undefined };
type Signed = Certificate & { readonly privateKey: KeyObject };

/** A fresh key with its certificate, signed by `by` or else by itself. */
const signed = ({ subject, issuer, extension: told, from = Date.now() - 3_600_000, until = Date.now() + 3_600_000 }: Draft, by?: KeyObject): Signed => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const version3 = der(0xa0, der(0x02, Buffer.from([2])));
  const key = publicKey.export({ type: "spki", format: "der" });
  const body = sequence(version3, der(0x02, Buffer.from([1])), ecdsaWithSha256, commonName(issuer), sequence(time(from), time(until)), commonName(subject), key, der(0xa3, sequence(told)));
  const certificate = sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), sign("sha256", body, by ?? privateKey)));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    privateKey,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
};

/** PEM texts of a fresh key and its certificate. */
export const selfSigned = ({ names = ["127.0.0.1"], from, until }: CertificateWish = {}): Certificate => {
  const { key, cert } = signed({ subject: "simulated upstream", issuer: "simulated upstream", extension: namesOnly(names), from, until });
  return { key, cert };
};

/** A certificate authority of somebody's own; `cert` is what those who trust it are given. */
export const createAuthority = (name: string): { readonly cert: string; issue(...names: readonly string[]): Certificate } => {
  const { cert, privateKey } = signed({ subject: name, issuer: name, extension: authorityOnly });
  return {
    cert,
    issue(...names) {
      const leaf = signed({ subject: names[0] ?? "", issuer: name, extension: namesOnly(names) }, privateKey);
      return { key: leaf.key, cert: leaf.cert };
    },
  };
};
