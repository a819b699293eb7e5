import { expect, it } from "vitest";
import { certificatesIn } from "../../src/doctor/certificates.ts";
import { selfSigned } from "../demo/certificate.ts";

it("counts the certificates of a bundle with their ends, and those that cannot be parsed", () => {
  const until = Date.UTC(2030, 0, 1);
  const { cert } = selfSigned({ until });
  const torn = cert.replace(/\n.{20}/, "\n");
  expect(certificatesIn(`# a comment\n${cert}\n${torn}${cert}`)).toEqual({ ends: [until, until], broken: 1 });
  expect(certificatesIn("no certificate")).toEqual({ ends: [], broken: 0 });
  expect(certificatesIn(null)).toBeNull();
});
