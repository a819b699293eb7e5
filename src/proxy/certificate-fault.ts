/** Is `reason` one of OpenSSL's verification results (X509_V_ERR_* without the prefix) or Node's ERR_TLS_CERT_ALTNAME_INVALID? */
export const isCertificateFault = (reason: string): boolean => /CERT|_SIGNATURE|SELF_SIGNED|ISSUER|^INVALID_(?:CA|PURPOSE)$|^HOSTNAME_MISMATCH$/.test(reason);
